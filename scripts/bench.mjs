// `npm run bench`: measures this checkout beside its peers and writes docs/reference/benchmarks.md.
import { installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
runTypeScript('bench/run.ts', process.argv.slice(2))
