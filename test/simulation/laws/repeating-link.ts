import type { LinkSocket } from '../../../src/orchestration/router/link/session.ts'

type Told = { repeats: number; ack: number }

/**
 * A router that resumes carelessly: it says that it lacks a batch which it has, and takes it for a new one when it is sent again. Written as a
 * man in the middle who renumbers, so that the router's own check does not see it.
 */
export function createRepeatingLinks(): (socket: LinkSocket) => LinkSocket {
  const bySession = new Map<string, Told>()

  return socket => {
    let told: Told = { repeats: 0, ack: 0 }

    /** The welcome of a session that goes on: the last batch is asked for again, unless it was acknowledged. */
    function welcome(text: string): string {
      const message = JSON.parse(text) as { sessionId: string; received: number } // cast: our own welcome
      told = bySession.get(message.sessionId) ?? { repeats: 0, ack: 0 }
      bySession.set(message.sessionId, told)
      const received = message.received - told.repeats
      if (received - 1 < told.ack) return JSON.stringify({ ...message, received })
      told.repeats += 1
      return JSON.stringify({ ...message, received: received - 1 })
    }

    function outgoing(data: string): string {
      if (data.startsWith('{"type":"welcome"')) return welcome(data)
      return data.replace(/^\[(\d+),(\d+)/, (_, number: string, ack: string) => {
        told.ack = Math.max(told.ack, Number(ack) - told.repeats)
        return `[${number},${told.ack}`
      })
    }

    function incoming(data: Buffer, isBinary: boolean): Buffer {
      if (!isBinary) {
        const text = data.toString('utf8').replace(/^\[(\d+)/, (_, number: string) => `[${Number(number) && Number(number) + told.repeats}`)
        return Buffer.from(text)
      }
      const copy = Buffer.from(data)
      copy.writeUIntLE(copy.readUIntLE(0, 6) + told.repeats, 0, 6)
      return copy
    }

    const changed = {
      send: (data: string) => socket.send(outgoing(data)),
      on(event: string, hear: (...heard: unknown[]) => void) {
        if (event !== 'message') return socket.on(event, hear)
        return socket.on('message', (data, isBinary) => hear(incoming(data as Buffer, isBinary), isBinary)) // cast: the simulated network brings buffers
      },
    }
    return new Proxy(socket, {
      get: (target, name) => {
        const value: unknown = name in changed ? changed[name as keyof typeof changed] : Reflect.get(target, name) // cast: the name was looked up
        return typeof value === 'function' && !(name in changed) ? value.bind(target) : value
      },
    })
  }
}
