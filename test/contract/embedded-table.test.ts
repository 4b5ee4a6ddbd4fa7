import { aPlatform } from '#test/support/embedded.ts'
import { tableContract } from './table-contract.ts'

tableContract('SQLite', async () => {
  const { platform, close } = await aPlatform()
  return { main: platform.main, volatile: platform.volatile, close }
})
