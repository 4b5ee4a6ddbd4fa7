import type { Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { sideBySide } from '../side-by-side.ts'
import type { Connection, Watch } from './connection.ts'
import { forgetConnection } from './connection-store.ts'
import type { Resync, ServerFrame } from './frame.ts'
import { presenceFrame, presenceTopic } from './presence.ts'
import { endWatch } from './watch.ts'
import { areWatched, dropWatch, type Watcher, watchersOf } from './watch-store.ts'

type Ports = Pick<Platform, 'volatile' | 'realtime' | 'telemetry'>
type Reading = Pick<Platform, 'main' | 'objects'>
export type TellPorts = Ports & Reading & Pick<Platform, 'clock' | 'random'>

/** A frame, or what makes it: for nobody it is not made. */
export type Telling = ServerFrame | ((ports: Reading) => Promise<ServerFrame>)

/**
 * Frames for whoever watches these entities of a topic; without entities, one frame for all that watch any. What is told
 * `once` ends the watch.
 */
export type News = { tenant: string; topic: string; frames: Map<string, Telling> | Resync; once?: boolean }

/** Connections that are told side by side. */
const width = 64
/** Of more at once a connection is told that it has to read the topic again. */
const mostFrames = 200

/** https://developer.mozilla.org/docs/Web/API/CloseEvent/code: try again later. */
const tryAgainLater = 1013

/** What a connection is told, and which of its watches it is told by. */
type Post = { tenant: string; texts: string[]; watches: Watch[]; over: Watch[] }

/**
 * Tells the news to all that watch them; answers the news of which nobody was told, since who watches or what to tell could
 * not be read. A connection that cannot be told is closed: it reads again when it is back.
 */
export const tell = async (ports: TellPorts, news: News[]): Promise<News[]> => {
  const watched = await areWatched(ports, news)
  const asked = news.filter((_, at) => watched[at])
  const all = await Promise.allSettled(asked.map((one) => addressed(ports, one)))
  const posts = new Map<string, Post>()
  for (const [connection, post] of all.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))) {
    const before = posts.get(connection)
    before?.texts.push(...post.texts)
    before?.watches.push(...post.watches)
    before?.over.push(...post.over)
    if (before === undefined) posts.set(connection, post)
  }
  await sideBySide([...posts], width, ([connection, post]) => deliver(ports, connection, post))
  for (const one of all)
    if (one.status === 'rejected')
      ports.telemetry.log('error', 'changes of a topic were not told', { error: String(one.reason) })
  return asked.filter((_, at) => all[at]?.status === 'rejected')
}

const addressed = async (ports: TellPorts, { tenant, topic, frames, once }: News): Promise<[string, Post][]> => {
  const resync = JSON.stringify({ type: 'resync', topic } satisfies Resync)
  const known = 'type' in frames ? undefined : frames
  const watchers = await watchersOf(ports, { tenant, topic, ids: known && [...known.keys()] })
  const texts = known && (await write(ports, watchers.length === 0 ? new Map() : known))
  return [...Map.groupBy(watchers, ({ connection }) => connection)].flatMap(([connection, watches]) => {
    const wanted = texts === undefined ? [resync] : textsFor(watches, texts)
    const own = watches.map(({ id }) => ({ topic, id }))
    const post = {
      tenant,
      texts: wanted.length > mostFrames ? [resync] : wanted,
      watches: own,
      over: once ? own.filter(({ id }) => id !== undefined && texts?.has(id)) : [],
    }
    return wanted.length === 0 ? [] : [[connection, post] as [string, Post]]
  })
}

/** A frame, and what it is on the wire: written once for all that are told it. */
type Written = { frame: ServerFrame; text: string }

const write = async (ports: Reading, frames: Map<string, Telling>): Promise<Map<string, Written>> => {
  const made = [...frames].map(async ([id, telling]): Promise<[string, Written]> => {
    const frame = typeof telling === 'function' ? await telling(ports) : telling
    return [id, { frame, text: JSON.stringify(frame) }]
  })
  return new Map(await Promise.all(made))
}

/** Once each, however often they are watched, and with the name that the watcher gave. */
const textsFor = (watches: Watcher[], written: Map<string, Written>): string[] => {
  if (watches.some(({ id }) => id === undefined)) return [...written.values()].map(({ text }) => text)
  return watches.flatMap(({ id = '', ref }) => {
    const one = written.get(id)
    if (one === undefined) return []
    return ref === undefined ? one.text : JSON.stringify({ ...one.frame, ref })
  })
}

/** What cannot be cleared away of a connection expires: it holds up no other. */
const deliver = async (ports: TellPorts, connection: string, post: Post): Promise<void> => {
  const whose = { tenant: post.tenant, id: connection }
  try {
    const left = await pushAll(ports, connection, post.texts)
    if (left) await Promise.all(post.watches.map((watch) => dropWatch(ports, whose, watch)))
    else await sideBySide(post.over, 1, (watch) => endWatch(ports, whose, watch).catch(unlessClosed))
  } catch (error) {
    ports.telemetry.log('warn', 'watches of a connection were not ended', { connection, error: String(error) })
  }
}

/** A connection that was closed meanwhile watches nothing. */
const unlessClosed = (error: unknown): void => {
  if (!(error instanceof DomainError) || error.code !== 'NOT_FOUND') throw error
}

/** Tells whoever watches presence of one connection. */
export const tellPresence = async (ports: TellPorts, connection: Connection, isGone = false): Promise<void> => {
  const frame = presenceFrame(connection, isGone)
  const { tenant, id } = connection
  if (frame) await tell(ports, [{ tenant, topic: presenceTopic, frames: new Map([[id, frame]]) }])
}

/** Nothing is kept of a connection that is gone, and whoever watches presence is told. */
export const leave = async (ports: TellPorts, id: string): Promise<void> => {
  const connection = await forgetConnection(ports, id)
  if (connection) await tellPresence(ports, connection, true)
}

/** Sends texts in order. Answers whether the connection is gone, or was closed since it could not be told. */
export const pushAll = async (ports: TellPorts, connection: string, texts: string[]): Promise<boolean> => {
  for (const text of texts) {
    const outcome = await ports.realtime.push(connection, text).catch((error: unknown) => {
      ports.telemetry.log('warn', 'a connection could not be told and is closed', { connection, error: String(error) })
      return 'FAILED' as const
    })
    if (outcome === 'SENT') continue
    if (outcome !== 'GONE') await closeToResync(ports, connection)
    await leave(ports, connection)
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
