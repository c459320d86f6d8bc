import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { figure9 } from '#economics'
import { addressSchema, type EconomyReader } from '#protocol'
import { notFound, parse } from './routes.ts'
import { toJson } from './views.ts'

export type EconomyDependencies = {
  readonly economy: EconomyReader
  /** All proposals, oldest first, as the governor has them. */
  readonly proposals: () => Promise<readonly object[]>
}

const MAX_EPOCH = 1_000_000

/** What the chain says about supply, epochs, votes, stakes and earnings: public there, so open here. Amounts are decimal strings of wei. */
export function economyRoutes(app: FastifyInstance, { economy, proposals }: EconomyDependencies): void {
  const account = (params: unknown) => parse(z.object({ account: addressSchema }), params).account
  app.get('/api/economy', async () => toJson(await economy.overview()))
  app.get('/api/economy/buybacks', async () => ({ data: toJson(await economy.buybacks()) }))
  // The model's ten years: the same for everybody, for ever.
  const curves = toJson(figure9())
  app.get('/api/economy/figure-9', async () => ({ data: curves }))
  app.get('/api/epochs/current', async () => toJson(await economy.epoch()))
  app.get('/api/epochs/:epoch', async request => {
    const { epoch } = parse(z.object({ epoch: z.coerce.number().int().nonnegative().max(MAX_EPOCH) }), request.params)
    const found = await economy.epoch(epoch)
    if (!found) throw notFound(`Epoch ${epoch}`)
    return toJson(found)
  })
  app.get('/api/reservoir', async () => toJson(await economy.reservoir()))
  app.get('/api/vesting', async () => ({ data: toJson(await economy.vesting()) }))
  app.get('/api/proposals', async () => ({ data: toJson(await proposals()) }))
  app.get('/api/accounts/:account/stake', async request => toJson(await economy.stake(account(request.params))))
  app.get('/api/accounts/:account/earnings', async request => toJson(await economy.earnings(account(request.params))))
}
