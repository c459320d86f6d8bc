import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openSession } from './api.ts'
import { App } from './app.tsx'
import './style.css'

const client = new QueryClient()
const hasKey = await openSession()
const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App hasKey={hasKey} />
      </QueryClientProvider>
    </StrictMode>,
  )
}
