import type { Platform } from '../../platform/platform.ts'
import { sideBySide } from '../fan-out/side-by-side.ts'
import type { Watch } from './connection.ts'
import { forgetConnection } from './connection-store.ts'
import type { Resync, ServerFrame } from './frame.ts'
import { areWatched, dropWatch, type Watcher, watchersOf } from './watch-store.ts'

type Ports = Pick<Platform, 'volatile' | 'realtime' | 'telemetry'>
type Reading = Ports & Pick<Platform, 'main' | 'objects'>

/** A frame, or what makes it: for nobody it is not made. */
export type Telling = ServerFrame | ((ports: Reading) => Promise<ServerFrame>)

/** Frames for whoever watches these entities of a topic; without entities, one frame for all that watch any. */
export type News = { tenant: string; topic: string; frames: Map<string, Telling> | Resync }

/** Connections that are told side by side. */
const width = 64
/** Of more at once a connection is told that it has to read the topic again. */
const mostFrames = 200

/** https://developer.mozilla.org/docs/Web/API/CloseEvent/code: try again later. */
const tryAgainLater = 1013

/** What a connection is told, and which of its watches it is told by. */
type Post = { tenant: string; texts: string[]; watches: Watch[] }

/** Tells the news to all that watch them. A connection that cannot be told is closed: it reads again when it is back. */
export const tell = async (ports: Reading, news: News[]): Promise<void> => {
  const watched = await areWatched(ports, news)
  const all = await Promise.all(news.filter((_, at) => watched[at]).map((one) => addressed(ports, one)))
  const posts = new Map<string, Post>()
  for (const [connection, post] of all.flat()) {
    const before = posts.get(connection)
    before?.texts.push(...post.texts)
    before?.watches.push(...post.watches)
    if (before === undefined) posts.set(connection, post)
  }
  await sideBySide([...posts], width, ([connection, post]) => deliver(ports, connection, post))
}

const addressed = async (ports: Reading, { tenant, topic, frames }: News): Promise<[string, Post][]> => {
  const resync = JSON.stringify({ type: 'resync', topic } satisfies Resync)
  const known = 'type' in frames ? undefined : frames
  const watchers = await watchersOf(ports, { tenant, topic, ids: known && [...known.keys()] })
  const texts = known && (await textsOf(ports, watchers.length === 0 ? new Map() : known))
  return [...Map.groupBy(watchers, ({ connection }) => connection)].flatMap(([connection, watches]) => {
    const wanted = texts === undefined ? [resync] : textsFor(watches, texts)
    const own = watches.map(({ id }) => ({ topic, id }))
    const post = { tenant, texts: wanted.length > mostFrames ? [resync] : wanted, watches: own }
    return wanted.length === 0 ? [] : [[connection, post] as [string, Post]]
  })
}

const textsOf = async (ports: Reading, frames: Map<string, Telling>): Promise<Map<string, string>> => {
  const made = [...frames].map(async ([id, telling]): Promise<[string, string]> => {
    const frame = typeof telling === 'function' ? await telling(ports) : telling
    return [id, JSON.stringify(frame)]
  })
  return new Map(await Promise.all(made))
}

/** Once each, however often they are watched. */
const textsFor = (watches: Watcher[], texts: Map<string, string>): string[] =>
  watches.some(({ id }) => id === undefined)
    ? [...texts.values()]
    : watches.flatMap(({ id = '' }) => texts.get(id) ?? [])

const deliver = async (ports: Ports, connection: string, { tenant, texts, watches }: Post): Promise<void> => {
  const left = await pushAll(ports, connection, texts)
  if (left) await Promise.all(watches.map((watch) => dropWatch(ports, { tenant, id: connection }, watch)))
}

/** Sends texts in order. Answers whether the connection is gone, or was closed since it could not be told. */
export const pushAll = async (ports: Ports, connection: string, texts: string[]): Promise<boolean> => {
  for (const text of texts) {
    const outcome = await ports.realtime.push(connection, text).catch((error: unknown) => {
      ports.telemetry.log('warn', 'a connection could not be told and is closed', { connection, error: String(error) })
      return 'FAILED' as const
    })
    if (outcome === 'SENT') continue
    if (outcome !== 'GONE') await closeToResync(ports, connection)
    await forgetConnection(ports, connection)
    return true
  }
  return false
}

/** What it has not been told is not kept: it has to read again. */
const closeToResync = async ({ realtime, telemetry }: Ports, connection: string): Promise<void> => {
  telemetry.metric('ConnectionsDropped', 1, 'Count')
  await realtime
    .close(connection, { code: tryAgainLater, reason: 'resync: it could not be told in time' })
    .catch((error: unknown) =>
      telemetry.log('warn', 'a connection could not be closed', { connection, error: String(error) }),
    )
}
