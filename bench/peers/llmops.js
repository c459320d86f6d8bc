// @llmops/gateway is a Hono application; this serves it as its documentation does, on the port that is asked for.
import { serve } from '@hono/node-server'
import gateway from '@llmops/gateway'

serve({ fetch: gateway.fetch, hostname: '127.0.0.1', port: Number(process.argv[2]) })
