import type { Key } from '../platform/platform.ts'

/** Milliseconds as text that sorts as they do. */
export const sortableTime = (ms: number): string => String(Math.max(0, Math.floor(ms))).padStart(15, '0')

export const taskPk = (tenant: string, id: string): string => `${tenant}#task#${id}`
export const taskKey = (tenant: string, id: string): Key => ({ pk: taskPk(tenant, id), sk: 'head' })
