#!/usr/bin/env node
// The `heurist` command: install what is missing, then run the CLI under the pinned Node.
import { installDependencies, runTypeScript } from './setup.mjs'

installDependencies()
runTypeScript('src/bin/heurist.ts', process.argv.slice(2))
