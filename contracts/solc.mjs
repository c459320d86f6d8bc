#!/usr/bin/env node
// Forge expects a solc program; npm ships solc as JavaScript. This file is the program: it answers the two
// calls forge makes (`--version` and `--standard-json` on stdin) and nothing else.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const arguments_ = process.argv.slice(2)
const solc = createRequire(import.meta.url)('solc')

if (arguments_.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`)
} else if (arguments_.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
} else {
  process.stderr.write(`solc.mjs understands --version and --standard-json, not: ${arguments_.join(' ')}\n`)
  process.exitCode = 2
}
