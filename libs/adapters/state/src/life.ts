import type { Millis } from '#libs/model'
import type { Alarm, AlarmTransition } from '#libs/pipeline'

/** What is done to an alarm by an operator. */
export interface Acknowledgement {
  readonly at: Millis
  readonly by: string
  readonly comment: string | null
}

/** The life of an alarm (ISA-18.2; regulations.md 7.3). It is given from outside: the table lives with the alarm engine. */
export interface AlarmLife {
  /** The alarm to keep: what the engine says of the condition, with what people did to the alarm that is kept already. */
  mergeAlarm(kept: Alarm | undefined, transition: AlarmTransition): Alarm
  /** The transition of an acknowledgement; undefined where the alarm's state has nothing to acknowledge. */
  acknowledge(alarm: Alarm, acknowledgement: Acknowledgement): AlarmTransition | undefined
}
