import { createSystemRandom } from '#shared/platform/system.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { createUnrulyFeed } from '#test/support/unruly-feed.ts'
import { changeFeedContract } from './change-feed-contract.ts'

const make = async () => {
  const { platform, close } = await aPlatform()
  return { main: platform.main, volatile: platform.volatile, feed: platform.feed, close }
}

changeFeedContract('SQLite', make)

changeFeedContract('SQLite, shuffled across keys and delivered again', async () => {
  const made = await make()
  return { ...made, feed: createUnrulyFeed(made.feed, createSystemRandom()) }
})
