import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['test/canary/*.test.ts'], maxWorkers: 1 } })
