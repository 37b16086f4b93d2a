/**
 * A WebSocket text frame (RFC 6455 §5.2, final, unmasked as servers send it) made of three parts that are UTF-8
 * already: so that what is the same for a thousand clients is encoded once.
 */
export function textFrame(before: Buffer, payload: Buffer, after: Buffer): Buffer {
  const length = before.length + payload.length + after.length;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x81;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  before.copy(frame, head);
  payload.copy(frame, head + before.length);
  after.copy(frame, head + before.length + payload.length);
  return frame;
}
