// `npm run fuzz [-- --inputs 200000] [--parser <name>]`: so many broken inputs for each parser that reads what strangers write.
import { installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
runTypeScript('test/fuzz/run.ts', process.argv.slice(2))
