import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { addressSchema, type Bytes32, bytes32Schema, type FrontendView, type NodeId } from '#protocol'
import { type ControlDependencies, callerOf, parse } from './routes.ts'

export type FrontendDependencies = {
  readonly frontends: {
    list(): readonly FrontendView[]
    /** @throws HeuristError FRONTEND_UNKNOWN, FRONTEND_OTHER_LIST */
    publishReferrals(frontendId: Bytes32, nodeIds: readonly NodeId[]): Promise<FrontendView>
  }
}

/** One Merkle tree, one row in memory: far more than a frontend has partners. */
const MAX_REFERRED = 10_000

/** Frontends and whom they refer to. The operator of a gateway says which lists it follows; each must be the one that is on chain. */
export function frontendRoutes(app: FastifyInstance, { frontends, ...dependencies }: FrontendDependencies & ControlDependencies): void {
  const caller = callerOf(dependencies)
  app.get('/api/frontends', async () => ({ data: frontends.list() }))
  app.put('/api/frontends/:id/referrals', async request => {
    await caller(request, 'admin')
    const { id } = parse(z.object({ id: bytes32Schema }), request.params)
    const { nodes } = parse(z.strictObject({ nodes: z.array(addressSchema).max(MAX_REFERRED) }), request.body)
    return frontends.publishReferrals(id, [...new Set(nodes)])
  })
}
