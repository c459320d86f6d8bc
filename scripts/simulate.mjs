// `npm run simulate`: ten years of the economy and the adversaries; --write renews docs/reference/economics.md, --json prints data.
import { installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
runTypeScript('test/simulation/run.ts', process.argv.slice(2))
