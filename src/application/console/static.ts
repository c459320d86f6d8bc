import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

// Everything comes from this origin; styles of React's style attribute need 'unsafe-inline'.
const CONTENT_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/** Serves the built console at `/`. Without a build it says how to make one. */
export async function consoleFiles(app: FastifyInstance, options: { readonly directory: string }): Promise<void> {
  if (!existsSync(join(options.directory, 'index.html'))) {
    app.get('/', (_request, reply) => reply.type('text/plain').send('The console is not built. Start the network with: npm start\n'))
    return
  }
  await app.register(fastifyStatic, {
    root: options.directory,
    wildcard: false,
    setHeaders(reply, path) {
      reply.header('content-security-policy', CONTENT_POLICY)
      // Built files carry their hash in their name; the page that names them must be asked for again.
      reply.header('cache-control', path.endsWith('.html') ? 'no-cache' : 'public, max-age=31536000, immutable')
    },
  })
}
