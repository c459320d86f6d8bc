// `npm run fuzz [-- --inputs 200000] [--parser <name>]`: broken inputs for every parser that reads what strangers write.
import { installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
runTypeScript('test/fuzz/run.ts', process.argv.slice(2))
