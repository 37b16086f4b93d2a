import { useSyncExternalStore } from 'react';
import { currentContact, watchContact, type Contact } from '../../client/socket.ts';

const WORDS: Readonly<Record<Contact, string>> = {
  IDLE: 'Up to date',
  CONNECTING: 'Connecting',
  CONNECTED: 'Live',
  RECONNECTING: 'Reconnecting',
};

/** Whether what is shown is live. */
export function ContactMark() {
  const contact = useSyncExternalStore(watchContact, currentContact, () => 'IDLE' as const);
  const tone = contact === 'CONNECTED' ? 'good' : contact === 'RECONNECTING' ? 'warn' : 'idle';
  return (
    <span className={`contact tone-${tone}`} role="status" data-contact={contact}>
      <span className={contact === 'RECONNECTING' ? 'contact-dot is-waiting' : 'contact-dot'} aria-hidden="true" />
      {WORDS[contact]}
    </span>
  );
}
