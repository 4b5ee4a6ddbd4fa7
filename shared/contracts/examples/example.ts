/** What a call looks like: its body, and the answer to it. */
export type Example = { body?: unknown; answer?: unknown }

export const ids = {
  agent: 'agt_01KB2V7Q5W8S5ZK3M9N1P4R6T0',
  instance: 'ins_01KB2V7Q5W8S5ZK3M9N1P4R6T1',
  task: 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8',
  object: 'obj_01KB2V7Q5W8S5ZK3M9N1P4R6T2',
  approval: 'apr_01KB2V7Q5W8S5ZK3M9N1P4R6T3',
  batch: 'bat_01KB2V7Q5W8S5ZK3M9N1P4R6T4',
  schedule: 'sch_01KB2V7Q5W8S5ZK3M9N1P4R6T5',
  webhook: 'whk_01KB2V7Q5W8S5ZK3M9N1P4R6T6',
  run: 'run_01KB2V7Q5W8S5ZK3M9N1P4R6T9',
  delivery: 'dlv_01KB2V7Q5W8S5ZK3M9N1P4R6T7',
  subscription: 'sub_01KB2V7Q5W8S5ZK3M9N1P4R6T9',
  match: 'mat_01KB2V7Q5W8S5ZK3M9N1P4R6TA',
  message: 'msg_01KB2V7Q5W8S5ZK3M9N1P4R6TB',
  replay: 'rpl_01KB2V7Q5W8S5ZK3M9N1P4R6TC',
  letter: 'ltr_01KB2V7Q5W8S5ZK3M9N1P4R6TE',
  hookId: 'hok_01KB2V7Q5W8S5ZK3M9N1P4R6TD',
} as const

export const fence = '0000000007'
export const times = {
  created: '2026-01-31T12:00:00.000Z',
  started: '2026-01-31T12:00:01.000Z',
  finished: '2026-01-31T12:00:09.000Z',
  nextDay: '2026-02-01T12:00:00.000Z',
} as const

/** The only page of a list. */
export const pageOf = (...items: unknown[]) => ({ items, nextCursor: null })
