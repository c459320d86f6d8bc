import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { HeuristError } from '#protocol'
import type { ChainErrorCode } from './port.ts'

/**
 * anvil's binary for this machine. The npm launcher in front of it hides exit codes and does not pass signals on: a
 * killed launcher leaves the chain running.
 * @throws HeuristError CHAIN_START_FAILED when the package for this platform is not installed
 */
export function anvilBinary(): string {
  const cpu = arch() === 'x64' ? 'amd64' : arch()
  const packageName = `@foundry-rs/anvil-${platform()}-${cpu}`
  try {
    const fromHere = createRequire(import.meta.url)
    const fromLauncher = createRequire(fromHere.resolve('@foundry-rs/anvil/package.json'))
    const manifest = fromLauncher.resolve(`${packageName}/package.json`)
    return join(dirname(manifest), 'bin', platform() === 'win32' ? 'anvil.exe' : 'anvil')
  } catch (cause) {
    throw new HeuristError<ChainErrorCode>(
      'CHAIN_START_FAILED',
      `The dev chain's program is not installed for ${platform()} ${arch()} (npm package ${packageName}). Run npm ci, or set CHAIN_RPC_URL to use another chain.`,
      { cause },
    )
  }
}
