// Cuts the byte stream of a connection into packets: a 4-byte length, then as many bytes. It sits in front of the npm
// client, whose own cutting copies all that is left once a packet, which is quadratic for a burst. Here every byte of a
// chunk is copied at most once, however many packets it holds and however many chunks a packet spans.

/** Larger than any list of children we can meet; a length beyond it means that the stream is no ZooKeeper's. */
const packetBytesMax = 256 * 1024 * 1024;

export class FrameReader {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes that must be there before anything can be cut. */
  #wanted = 4;

  /** Calls `onPacket` for each packet that is complete now, its length prefix included. Throws on an absurd length. */
  push(chunk: Buffer, onPacket: (packet: Buffer) => void): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered < this.#wanted) return;
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks, this.#buffered);
    let offset = 0;
    this.#wanted = 4;
    while (bytes.length - offset >= 4) {
      const size = bytes.readInt32BE(offset);
      if (size < 0 || size > packetBytesMax) throw new RangeError(`a packet of ${size} bytes was announced`);
      this.#wanted = size + 4;
      if (bytes.length - offset < this.#wanted) break;
      onPacket(bytes.subarray(offset, offset + this.#wanted));
      offset += this.#wanted;
      this.#wanted = 4;
    }
    this.#chunks = offset < bytes.length ? [bytes.subarray(offset)] : [];
    this.#buffered = bytes.length - offset;
  }
}
