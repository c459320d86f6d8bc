import { useRef, useState } from 'react'
import { type PodRow, useLive } from '../api.ts'
import { type Answer, type Message, type Settings, streamChat } from '../chat.ts'

type Turn = Message & { id: number; answer?: Answer; problem?: string }

/** A conversation with any chat pod, streamed, with its cost and its job. */
export function Playground() {
  const pods = useLive<{ data: PodRow[] }>('/api/pods', 5000)
  const models = (pods.data?.data ?? []).filter(({ runtime }) => runtime === 'llm').map(({ name }) => name)
  const [settings, change] = useState<Settings>({ model: '', temperature: 0.7, maxTokens: 200, seed: null })
  const [turns, setTurns] = useState<Turn[]>([])
  const [busy, setBusy] = useState(false)
  const stop = useRef<AbortController | null>(null)
  const model = settings.model || models[0] || ''

  async function send(text: string): Promise<void> {
    const asked: Turn[] = [...turns, { id: turns.length, role: 'user', content: text }]
    const shown: Turn = { id: asked.length, role: 'assistant', content: '' }
    const show = (update: Partial<Turn>) => setTurns([...asked, Object.assign(shown, update)])
    show({})
    setBusy(true)
    stop.current = new AbortController()
    try {
      const history = asked.filter(({ problem }) => !problem).map(({ role, content }) => ({ role, content }))
      const answer = await streamChat(
        history,
        { ...settings, model },
        piece => show({ content: shown.content + piece }),
        stop.current.signal,
      )
      show({ answer })
    } catch (error) {
      show({ problem: error instanceof Error && error.name !== 'AbortError' ? error.message : 'Stopped. You pay for what was sent.' })
    }
    setBusy(false)
  }

  return (
    <>
      <h1>Playground</h1>
      <Controls settings={{ ...settings, model }} models={models} change={change} />
      <section className="card chat" aria-live="polite">
        {turns.length === 0 && (
          <p className="dim">Ask something. Answers stream from a compute node of this network; each is one paid job.</p>
        )}
        {turns.map(turn => (
          <TurnView key={turn.id} turn={turn} />
        ))}
      </section>
      <Prompt busy={busy || model === ''} send={send} stop={busy ? () => stop.current?.abort() : null} clear={() => setTurns([])} />
    </>
  )
}

function Controls({ settings, models, change }: { settings: Settings; models: readonly string[]; change: (settings: Settings) => void }) {
  return (
    <div className="controls">
      <label>
        Model
        <select value={settings.model} onChange={event => change({ ...settings, model: event.target.value })}>
          {models.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Temperature {settings.temperature.toFixed(1)}
        <input
          type="range"
          min={0}
          max={2}
          step={0.1}
          value={settings.temperature}
          onChange={event => change({ ...settings, temperature: Number(event.target.value) })}
        />
      </label>
      <label>
        Most tokens
        <input
          type="number"
          min={1}
          max={4096}
          value={settings.maxTokens}
          onChange={event => change({ ...settings, maxTokens: Math.max(1, Number(event.target.value)) })}
        />
      </label>
      <label>
        Seed
        <input
          type="number"
          placeholder="random"
          value={settings.seed ?? ''}
          onChange={event => change({ ...settings, seed: event.target.value === '' ? null : Number(event.target.value) })}
        />
      </label>
    </div>
  )
}

function TurnView({ turn }: { turn: Turn }) {
  const { answer } = turn
  return (
    <div className={`turn ${turn.role}`} data-role={turn.role}>
      <div className="text">{turn.content}</div>
      {turn.problem && (
        <p className="problem" role="alert">
          {turn.problem}
        </p>
      )}
      {answer && (
        <p className="dim small">
          {answer.usage && `${answer.usage.prompt_tokens} → ${answer.usage.completion_tokens} tokens · `}
          {answer.firstTokenMs !== null && `first token ${answer.firstTokenMs.toFixed(0)} ms · `}
          {answer.totalMs.toFixed(0)} ms {answer.jobId && <a href={`#/jobs/${answer.jobId}`}>see the job</a>}
        </p>
      )}
    </div>
  )
}

function Prompt({
  busy,
  send,
  stop,
  clear,
}: {
  busy: boolean
  send: (text: string) => Promise<void>
  stop: (() => void) | null
  clear: () => void
}) {
  const [text, change] = useState('')
  const submit = () => {
    if (text.trim() === '' || busy) return
    change('')
    void send(text.trim())
  }
  return (
    <form
      className="prompt"
      onSubmit={event => {
        event.preventDefault()
        submit()
      }}
    >
      <textarea
        aria-label="Your message"
        rows={2}
        value={text}
        placeholder="What is Heurist?"
        onChange={event => change(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault()
            submit()
          }
        }}
      />
      {stop ? (
        <button type="button" onClick={stop}>
          Stop
        </button>
      ) : (
        <button type="submit" disabled={busy}>
          Send
        </button>
      )}
      <button type="button" className="quiet" onClick={clear}>
        Clear
      </button>
    </form>
  )
}
