import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ApiKeyRecord } from '#platform'
import type { PodRecord } from '#protocol'
import { type ControlDependencies, callerOf, notFound, parse } from './routes.ts'
import { toJson } from './views.ts'

/** Deploy and delete; the manifest comes already parsed by the CLI and is checked again by `deployPod`. */
export function podRoutes(app: FastifyInstance, dependencies: ControlDependencies): void {
  const caller = callerOf(dependencies)
  app.post('/api/pods', async request => {
    await caller(request, 'admin')
    const body = parse(
      z.strictObject({ manifest: z.string().max(65_536), modelFile: z.string().max(4096).nullable().default(null) }),
      request.body,
    )
    return toJson(await dependencies.deployPod(dependencies.parseManifest(body.manifest), body.modelFile))
  })
  app.delete('/api/pods/*', async request => {
    await caller(request, 'admin')
    const name = parse(z.object({ '*': z.string().min(1).max(120) }), request.params)['*']
    if (!(await dependencies.removePod(decodeURIComponent(name)))) throw notFound(`Pod ${name}`)
    return { name, removed: true }
  })
  // What a program says about its work, and so about its users: for its deployer and the operator.
  app.get('/api/pod-logs/*', async request => {
    const key = await caller(request, 'read')
    const pod = await ownPod(dependencies, key, request.params)
    const { since } = parse(z.object({ since: z.coerce.number().int().nonnegative().default(0) }), request.query)
    return { data: await dependencies.podLogs(pod.podId, since) }
  })
  // Manifests hold paths and settings of their deployer: for him and the operator.
  app.get('/api/pod-versions/*', async request => {
    const key = await caller(request, 'read')
    const pod = await ownPod(dependencies, key, request.params)
    const versions = await dependencies.database.pods.versions(pod.podId)
    return {
      data: versions.map(({ version, manifestHash, createdAtMs, manifest }) => toJson({ version, manifestHash, createdAtMs, manifest })),
    }
  })
}

/** The pod that a path names, if the caller deployed it or is the operator; for others it does not exist. */
async function ownPod({ database }: ControlDependencies, key: ApiKeyRecord, params: unknown): Promise<PodRecord> {
  const name = parse(z.object({ '*': z.string().min(1).max(120) }), params)['*']
  const pod = (await database.pods.list()).find(each => each.name === name || each.podId === name)
  if (!pod || (pod.deployer !== key.account && !key.scopes.includes('admin'))) throw notFound(`Pod ${name}`)
  return pod
}
