import { databaseConformance } from './conformance/index.ts'

databaseConformance('embedded server')

// A server of your own: its user must be able to create databases.
const serverUrl = process.env.HEURIST_TEST_DATABASE_URL
if (serverUrl) databaseConformance('DATABASE_URL server', serverUrl)
