import chromium from '@sparticuz/chromium'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '#platform'
import { createRpcChain, transferUsd } from '#platform/chain'
import { loadSigner, openHome } from '../../src/bin/home.ts'
import { contractsSchema } from '../../src/bin/network/facts.ts'
import { type Network, newHome, removeHome, startNetwork } from '../support/network.ts'

const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** The console in a real Chromium, against a real network. */
describe('console', () => {
  const home = newHome()
  const problems: string[] = []
  let network: Network
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    network = await startNetwork(home, { HEURIST_KEEPER_EVERY_MS: '3600000' })
    browser = await playwright.launch({
      executablePath: await chromium.executablePath(),
      headless: true,
      args: [...chromium.args, ...QUIET],
    })
    page = await browser.newPage({ viewport: { width: 1280, height: 820 } })
    page.on('pageerror', error => problems.push(error.message))
    page.on('console', message => message.type() === 'error' && problems.push(message.text()))
    await page.goto(network.dev().consoleUrl)
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    await network?.stop()
    removeHome(home)
  }, 60_000)

  const open = async (name: string): Promise<void> => {
    await page.getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { level: 1 }).waitFor()
  }

  /** Stablecoin as from jobs, and a pool that remembers its price for long enough. The keeper, who would buy first, rests meanwhile. */
  const buyBackOneDollar = async (): Promise<void> => {
    const { rpcUrl, chainId, contracts } = network.dev()
    const known = { rpcUrl, chainId, contracts: contractsSchema.parse(contracts) }
    const chain = createRpcChain(known, { clock: systemClock, logger: silentLogger })
    await transferUsd(chain, loadSigner(openHome(home), 'treasury'), { to: known.contracts.Buyback, amount: 1_000_000n })
    expect((await network.cli('dev', 'warp', '10m')).code).toBe(0)
    const { stdout } = await network.cli('buyback', 'run', '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, sellUsd: expect.stringMatching(/^1\d{6}$/), refusal: null })
    expect((await network.cli('buyback', 'run')).code).toBe(0)
  }

  test('default: the first page shows the network without asking for a key', async () => {
    await page.locator('.stat').filter({ hasText: 'Nodes online' }).getByText('2', { exact: true }).waitFor()
    expect(await page.title()).toBe('Heurist')
  })

  test('behavior: the playground streams an answer and links to its job, which is settled on the page', async () => {
    await open('Playground')
    await page.getByLabel('Your message').fill('What is Heurist?')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('link', { name: 'see the job' }).waitFor({ timeout: 60_000 })
    expect((await page.locator('[data-role=assistant] .text').textContent())?.length).toBeGreaterThan(5)
    await page.getByRole('link', { name: 'see the job' }).click()
    await page.getByText('Receipt and settlement').waitFor({ timeout: 60_000 })
    await page.locator('.badge.confirmed').waitFor({ timeout: 60_000 })
    // The page asks for the job once a second: its batch can be told confirmed before its timeline is read again.
    await page.locator('.timeline strong', { hasText: 'settled' }).waitFor({ timeout: 60_000 })
    for (const step of ['quoted', 'held', 'decided', 'leased', 'done', 'receipt', 'settled']) {
      expect(await page.locator('.timeline strong').allTextContents(), step).toContain(step)
    }
  }, 150_000)

  test('behavior: nodes, pods, jobs, credits and batches show what runs', async () => {
    await open('Nodes')
    await page.getByText('slots busy').first().waitFor()
    expect(await page.locator('.cards .card').count()).toBe(2)
    await open('Pods')
    await page.getByText(network.dev().models.chat, { exact: true }).waitFor()
    await open('Jobs')
    await page.locator('.badge.succeeded').first().waitFor()
    await open('Credits')
    await page.getByText('Backed by').first().waitFor()
    await open('Settlement')
    await page.locator('.badge.confirmed').first().waitFor()
  }, 60_000)

  test('behavior: economy, votes, governance and earnings show what the chain says', async () => {
    expect((await network.cli('stake', '1000')).code).toBe(0)
    await open('Economy')
    await page.getByText('1,000,000,000 HEU').waitFor()
    await page.getByRole('img', { name: 'Emission by revenue' }).waitFor()
    await page.getByText('240,385 HEU').waitFor()
    await page.getByRole('img', { name: 'Ten years of emission' }).waitFor()
    expect(await page.locator('.chart .present').count()).toBe(2)
    expect(await page.locator('.chart .scenario text').allTextContents()).toEqual(['slow growth', 'steady growth', 'fast growth'])
    await page.getByText('None yet. Money of jobs').waitFor()
    await buyBackOneDollar()
    await page.getByRole('cell', { name: '1 USD', exact: true }).waitFor()
    await open('Votes')
    await page.getByText('1.000 ×').first().waitFor()
    await page.getByRole('cell', { name: network.dev().models.chat, exact: true }).waitFor()
    await open('Governance')
    await page.getByText('No proposals yet').waitFor()
    await open('My earnings')
    await page.locator('.stat').filter({ hasText: 'Staked' }).getByText('1,000 HEU').waitFor()
    await page.getByLabel('Account').fill('0x00000000000000000000000000000000000000aa')
    await page.getByText('Nothing just now.').waitFor()
  }, 90_000)

  test('behavior: on a phone no page is wider than the screen, and a job is seen with its state and its commands', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    const pages = await page.locator('nav a:not(.logo)').allTextContents()
    expect(pages.length).toBeGreaterThan(8)
    for (const name of pages) {
      await open(name)
      await page.waitForLoadState('networkidle')
      expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(390)
    }
    await open('Jobs')
    const state = await page.locator('tbody .badge').first().boundingBox()
    expect((state?.x ?? 390) + (state?.width ?? 0)).toBeLessThanOrEqual(390)
    await page.locator('tbody a.id').first().click()
    const id = (await page.locator('h1 code').textContent()) ?? 'no id'
    await page.getByText(`heurist audit route ${id}`).waitFor()
    await page.getByText(`heurist receipt verify ${id}`).waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await page.setViewportSize({ width: 1280, height: 820 })
  }, 90_000)

  test('behavior: model output is shown as text, never as markup', async () => {
    await open('Playground')
    await page.getByLabel('Your message').fill('<img src=x onerror="window.hacked=1">')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('link', { name: 'see the job' }).last().waitFor({ timeout: 60_000 })
    expect(await page.evaluate("'hacked' in window")).toBe(false)
    expect(await page.locator('.chat img').count()).toBe(0)
  }, 90_000)

  test('behavior: no page threw an error', () => {
    expect(problems).toEqual([])
  })
})
