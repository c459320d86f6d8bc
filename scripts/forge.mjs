// Runs Foundry's platform binary. The npm launcher hides exit codes and does not pass signals on, so it is never used.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Path of the `forge` binary for this machine. Throws with the package to install when it is not there. */
export function forgeBinary() {
  const cpu = arch() === 'x64' ? 'amd64' : arch()
  const packageName = `@foundry-rs/forge-${platform()}-${cpu}`
  const file = platform() === 'win32' ? 'forge.exe' : 'forge'
  try {
    const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`)
    return join(dirname(manifest), 'bin', file)
  } catch (cause) {
    throw new Error(`forge is not installed for ${platform()} ${arch()}: expected the npm package ${packageName}. Run npm ci.`, { cause })
  }
}

/**
 * Runs forge in the repository and returns its exit code and output.
 * @param {string[]} parameters
 * @param {{ environment?: Record<string, string>, stream?: boolean }} [options] `stream` also shows the output as it comes.
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export function runForge(parameters, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(forgeBinary(), parameters, {
      cwd: repositoryRoot,
      env: {
        ...process.env,
        // The compiler wrapper is a Node program: it must find this Node, not an older one.
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        FOUNDRY_CONFIG: join('contracts', 'foundry.toml'),
        FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
        ...options.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => {
      stdout += chunk
      if (options.stream) process.stdout.write(chunk)
    })
    child.stderr.on('data', chunk => {
      stderr += chunk
      if (options.stream) process.stderr.write(chunk)
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code: code ?? 1, stdout, stderr }))
  })
}
