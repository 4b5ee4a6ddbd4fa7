import { restartUlids } from '#shared/platform/ulid.ts'

// A file that turned its clock forward leaves nothing behind for the next one in the same process.
restartUlids()
