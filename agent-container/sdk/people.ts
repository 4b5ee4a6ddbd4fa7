/** What a handler asks people for, and what it reads while it runs. */

type Question = {
  /** Names the question: needed where its prompt differs from run to run. @default what is asked */
  key?: string
  /** Where the handler goes on, in `lastCheckpoint`. @default the last checkpoint */
  checkpoint?: unknown
  /** After it the task fails with `TIMEOUT`. @default 7 days */
  expiresInSeconds?: number
}

export type ApprovalOptions = Question & {
  /** Names of people or groups, shown to whoever looks. */
  approvers?: string[]
  /** So many different principals have to approve; at most as many as are named, if anybody is. @default 1 */
  quorum?: number
  escalateAfterSeconds?: number
  escalateTo?: string[]
  /** `resume`: a rejection is told to the handler. @default 'fail': the task fails with `REJECTED` */
  onReject?: 'fail' | 'resume'
}

/** `prompt`: a sentence, or anything that a form can be made of; 32 KiB of JSON at most. */
export type InputRequest = { prompt: unknown } & (
  | ({ kind?: 'input' } & Question)
  | ({ kind: 'approval' } & ApprovalOptions)
)

/** The answer to a request of kind `approval`. */
export type ApprovalAnswer = {
  approved: boolean
  approval: string
  comment?: string
  response?: unknown
  decisions: { by: string; verdict: 'approve' | 'reject'; at: string; comment?: string; response?: unknown }[]
}

/** `seq` counts from 1 and is the same in every attempt. */
export type InputRecord = { seq: number; value: unknown }
