// `npm run simulate`: ten years of the economy and the adversaries, `npm run simulate -- autoscaler`: a day of replicas,
// `npm run simulate -- laws`: the whole network in virtual time, with faults, `-- fleet`: many gateways and routers.
// --write renews the page in docs/reference, --json prints data.
import { installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
const [first, ...rest] = process.argv.slice(2)
if (first === 'autoscaler') runTypeScript('test/simulation/run-autoscaler.ts', rest)
else if (first === 'fleet') runTypeScript('test/simulation/run-fleet.ts', rest)
else if (first === 'laws') runTypeScript('test/simulation/run-laws.ts', rest)
else runTypeScript('test/simulation/run.ts', process.argv.slice(2))
