// `npm start`: install what is missing, then run the whole network on this machine.
import { buildConsole, installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
buildConsole()
runTypeScript('src/bin/heurist.ts', ['up', ...process.argv.slice(2)])
