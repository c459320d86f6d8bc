export { createOtlpTracer, type OtlpOptions } from './otlp.ts'
