// What is in a request of several operations, a transaction or many reads, as it goes over the wire; for those who count and match.

import { JuteReader } from '../../coordination/jute.ts';
import { opcodes } from './zookeeper-frames.ts';

export interface WireOperation {
  readonly opcode: number;
  readonly path: string;
}

/** What a transaction, or a request for many reads, consists of (MultiOperationRecord). */
export function operationsOf(body: Buffer): WireOperation[] {
  const reader = new JuteReader(body.subarray(8));
  const operations: WireOperation[] = [];
  for (;;) {
    const opcode = reader.int();
    const isEnd = reader.bool();
    reader.int();
    if (isEnd) return operations;
    operations.push({ opcode, path: reader.string() });
    skipFields(reader, opcode);
  }
}

/** Those behind the path. */
function skipFields(reader: JuteReader, opcode: number): void {
  switch (opcode) {
    case opcodes.create:
    case opcodes.create2:
      reader.buffer();
      for (let entries = reader.int(); entries > 0; entries -= 1) {
        reader.int(); // permissions
        reader.string(); // scheme
        reader.string(); // id
      }
      reader.int(); // flags
      break;
    case opcodes.setData:
      reader.buffer();
      reader.int(); // version
      break;
    case opcodes.remove:
    case opcodes.check:
      reader.int(); // version
      break;
    case opcodes.getData:
    case opcodes.getChildren:
      reader.bool(); // watch
      break;
    default:
      throw new Error(`an operation with opcode ${opcode} in a transaction`);
  }
}

/** The paths whose data a request reads, alone or with others. `body` begins with xid and opcode. */
export function dataReadsIn(opcode: number | null, body: Buffer): string[] {
  if (opcode === opcodes.getData) return [new JuteReader(body.subarray(8)).string()];
  if (opcode !== opcodes.multiRead) return [];
  return operationsOf(body)
    .filter((operation) => operation.opcode === opcodes.getData)
    .map(({ path }) => path);
}
