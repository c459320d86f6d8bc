import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Bus, MAX_BUS_PAYLOAD } from './port.ts'

export type BusFixture = {
  /** The bus as a further process of the network has it. A driver for one process answers the same bus again. */
  open(): Promise<Bus>
  /** Breaks every open connection and lets it come back; absent where there is none. */
  interrupt?(): Promise<void>
}

const waitFor = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 10 })

/** What every driver of the bus port must do. `skip` says why the driver can not run here. */
export function busConformance(name: string, start: () => Promise<BusFixture>, skip?: string): void {
  describe.skipIf(skip !== undefined)(skip === undefined ? name : `${name} (skipped: ${skip})`, () => {
    let fixture: BusFixture
    let first: Bus
    let second: Bus
    beforeAll(async () => {
      fixture = await start()
      first = await fixture.open()
      second = await fixture.open()
    })
    afterAll(async () => {
      await first?.stop()
      await second?.stop()
    })

    /** What `bus` hears of `topic` from now on, once it really hears `from`. */
    async function listen(bus: Bus, topic: string, from: Bus): Promise<{ heard: string[]; end: () => void }> {
      const heard: string[] = []
      const end = bus.subscribe(topic, payload => {
        if (payload !== 'probe') heard.push(payload)
      })
      await hears(bus, from)
      return { heard, end }
    }

    /** A subscription reaches a server after a while, and a message may be lost: ask until one comes. */
    async function hears(bus: Bus, from: Bus): Promise<void> {
      let answered = false
      const end = bus.subscribe('conformance.probe', () => {
        answered = true
      })
      await waitFor(() => {
        from.publish('conformance.probe', 'probe')
        expect(answered).toBe(true)
      })
      end()
    }

    test('default: a message reaches every subscriber of every process, also the own one, once and unchanged', async () => {
      const [mine, also, theirs] = [
        await listen(first, 'a.b', first),
        await listen(first, 'a.b', first),
        await listen(second, 'a.b', first),
      ]
      const payloads = ['', 'one', '{"text":"Grüße, 世界 🎉\\n"}', 'two words\nand a line', "'; drop table jobs; --"]
      for (const payload of payloads) first.publish('a.b', payload)
      for (const { heard } of [mine, also, theirs]) {
        await waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(payloads.length))
        expect(heard).toEqual(payloads)
      }
      for (const { end } of [mine, also, theirs]) end()
    })

    test('behavior: equal messages stay several, many keep their order', async () => {
      const { heard, end } = await listen(second, 'many', first)
      const sent = Array.from({ length: 3_000 }, (_, i) => String(Math.floor(i / 3)))
      for (const payload of sent) first.publish('many', payload)
      await waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(sent.length))
      expect(heard).toEqual(sent)
      end()
    })

    test('behavior: only its topic, and nothing after the end of the subscription', async () => {
      const [kept, other] = [await listen(second, 'topic.kept', first), await listen(second, 'topic.keptnot', first)]
      const ended = await listen(second, 'topic.ended', first)
      first.publish('topic.ended', 'before')
      await waitFor(() => expect(ended.heard).toEqual(['before']))
      ended.end()
      ended.end()
      first.publish('topic.ended', 'after')
      first.publish('topic.kept', 'last')
      await waitFor(() => expect(kept.heard).toEqual(['last']))
      expect(ended.heard).toEqual(['before'])
      expect(other.heard).toEqual([])
      for (const { end } of [kept, other]) end()
    })

    test('behavior: no subscriber runs inside publish', async () => {
      const { heard, end } = await listen(first, 'soon', first)
      first.publish('soon', 'x')
      expect(heard).toEqual([])
      await waitFor(() => expect(heard).toEqual(['x']))
      end()
    })

    test('behavior: a handler that throws, at once or later, harms nobody', async () => {
      const ends = [
        second.subscribe('thrown', () => {
          throw new Error('broken on purpose')
        }),
        second.subscribe('thrown', async () => {
          throw new Error('broken later on purpose')
        }),
      ]
      const { heard, end } = await listen(second, 'thrown', first)
      first.publish('thrown', '1')
      first.publish('thrown', '2')
      await waitFor(() => expect(heard).toEqual(['1', '2']))
      for (const stop of [...ends, end]) stop()
    })

    test('behavior: the largest message, counted in bytes of UTF-8', async () => {
      const { heard, end } = await listen(second, 'large', first)
      const largest = 'ü'.repeat(MAX_BUS_PAYLOAD / 2)
      first.publish('large', largest)
      await waitFor(() => expect(heard).toEqual([largest]))
      expect(() => first.publish('large', `${largest}x`)).toThrow(expect.objectContaining({ code: 'BUS_BAD_PAYLOAD' }))
      expect(() => first.publish('large', `${largest}x`)).toThrow(/7501 bytes.*7500/)
      end()
    })

    test('error: text and topics that some driver could not carry', () => {
      expect(() => first.publish('a', 'nul \0')).toThrow(expect.objectContaining({ code: 'BUS_BAD_PAYLOAD' }))
      for (const topic of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\nb', 'a.*', '>', 'x'.repeat(201)]) {
        const refusal = expect.objectContaining({ code: 'BUS_BAD_TOPIC' })
        expect(() => first.publish(topic, ''), topic).toThrow(refusal)
        expect(() => first.subscribe(topic, () => undefined), topic).toThrow(refusal)
      }
    })

    test('behavior: messages flow again after every connection broke', async context => {
      if (!fixture.interrupt) return context.skip('this driver has no connection')
      const [theirs, mine] = [await listen(second, 'again', first), await listen(first, 'again', second)]
      await fixture.interrupt()
      await hears(second, first)
      await hears(first, second)
      first.publish('again', 'to second')
      await waitFor(() => expect(theirs.heard).toEqual(['to second']))
      second.publish('again', 'to first')
      await waitFor(() => expect(mine.heard).toEqual(['to second', 'to first']))
      for (const { end } of [theirs, mine]) end()
    })

    test('behavior: stop sends what was published; afterwards the bus is silent and may be stopped again', async () => {
      const leaving = await fixture.open()
      const shared = leaving === first
      const { heard, end } = await listen(second, 'stopping', leaving)
      if (!shared) leaving.publish('stopping', 'farewell')
      await leaving.stop()
      await leaving.stop()
      leaving.publish('stopping', 'from beyond')
      leaving.subscribe('stopping', payload => heard.push(`ghost ${payload}`))
      if (!shared) await hears(second, first)
      await waitFor(() => expect(heard).toEqual(shared ? [] : ['farewell']))
      end()
    })
  })
}
