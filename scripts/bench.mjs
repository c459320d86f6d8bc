// `npm run bench`: measures this checkout beside its peers and writes docs/reference/benchmarks.md.
import { installBenchPeers, installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
installBenchPeers()
runTypeScript('bench/run.ts', process.argv.slice(2))
