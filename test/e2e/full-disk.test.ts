import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

type Answer = { status: number; jobId: string; text: string }

/** A database on a small disk of its own (a mount, which only root may make). */
describe('full disk', () => {
  const home = newHome()
  const database = join(home, 'database')
  let hasSmallDisk = false
  let network: Network | undefined

  const ask = async (): Promise<Answer> => {
    const { gatewayUrl, apiKey, models } = network!.dev()
    const response = await fetch(`${gatewayUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: models.chat, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 }),
    })
    return { status: response.status, jobId: response.headers.get('x-heurist-job-id') ?? '', text: await response.text() }
  }

  beforeAll(async () => {
    mkdirSync(database, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=755', 'tmpfs', database], { stdio: 'ignore' })
      hasSmallDisk = true
    } catch {
      return
    }
    network = await startNetwork(home, { HEURIST_DEV_NODES: '1' })
  }, 300_000)
  afterAll(async () => {
    await network?.stop()
    if (hasSmallDisk) execFileSync('umount', ['-l', database])
    removeHome(home)
  }, 60_000)

  test('error: it is said, nothing acknowledged is lost, and work goes on when there is space again', async context => {
    if (!hasSmallDisk) return context.skip('no small disk can be made: this user may not mount, or this system has no tmpfs')
    const acknowledged = [(await ask()).jobId]
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${database}/filler bs=64k 2>/dev/null || true`])
    const openIds: string[] = []
    const refused = await eventually(
      'a receipt that finds no space',
      async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, ask))
        acknowledged.push(...answers.filter(({ status }) => status === 200).map(({ jobId }) => jobId))
        const failed = answers.filter(({ status }) => status !== 200)
        openIds.push(...failed.map(({ text }) => /job_[0-9a-f]+/.exec(text)?.[0] ?? ''))
        return failed[0]
      },
      60_000,
    ).finally(() => rmSync(join(database, 'filler')))
    expect([refused.status, refused.text]).toEqual([503, expect.stringMatching(/disk has no space left/)])
    const again = await eventually('an answer after space is back', async () => {
      const answer = await ask()
      return answer.status === 200 && answer
    })
    for (const id of [...acknowledged, again.jobId])
      expect(await jobOf(id)).toMatchObject({ state: 'succeeded', receipt: expect.anything() })
    for (const id of openIds)
      await eventually(`${id} to end without a charge`, async () => {
        const { state, price } = await jobOf(id)
        return state === 'failed' && BigInt(price) === 0n
      })
  }, 180_000)

  async function jobOf(id: string): Promise<{ state: string; price: string; receipt: object | null }> {
    const { stdout } = await network!.cli('job', 'get', id, '--json')
    return JSON.parse(stdout) as { state: string; price: string; receipt: object | null } // cast: our own CLI
  }
})
