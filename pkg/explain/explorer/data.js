"use strict";

// The data of the page: pictures with blocks of bytes, which are unpacked when they are
// first needed. Everything in the data is shown as text or numbers, never run.

/** The bytes of text in base64. */
function bytesOf(text) {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    out[i] = raw.charCodeAt(i);
  }
  return out;
}

/** Unpacks zlib's bytes, given in base64. */
async function unpack(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A map: bytes for its patches, and the values of the ends of its scale. */
class Field {
  constructor(bytes, low, high, signed) {
    this.bytes = bytes;
    this.low = low;
    this.high = high;
    this.signed = signed;
  }

  /** The value of a patch, to 1/255 of the range. */
  value(index) {
    const b = this.bytes[index];
    return this.signed ? ((b - 128) / 127) * this.high : this.low + ((this.high - this.low) * b) / 255;
  }
}

/** The maps of one head of a layer: one for each query. */
class Block {
  constructor(bytes, queries, patches) {
    if (bytes.length !== queries * (8 + patches)) {
      throw new Error(`a block of ${bytes.length} bytes for ${queries} queries of ${patches} patches`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8 * queries);
    this.fields = [];
    for (let q = 0; q < queries; q++) {
      const at = 8 * queries + q * patches;
      this.fields.push(new Field(bytes.subarray(at, at + patches), view.getFloat32(8 * q, true), view.getFloat32(8 * q + 4, true), false));
    }
  }
}

/** A photograph with its attention and its maps. */
class Picture {
  constructor(raw) {
    Object.assign(this, raw);
    if (!/^data:image\/(jpeg|png);base64,[A-Za-z0-9+/=]*$/.test(raw.photo)) {
      throw new Error("the photograph isn't a picture in the page");
    }
    this.patches = this.rows * this.cols;
    this.queryCols = Math.ceil(this.cols / this.step);
    this.queries = this.tokens.length + Math.ceil(this.rows / this.step) * this.queryCols;
    this.blocks = new Map(); // what was unpacked, by its text
    this.maps.forEach((m) => this.hold(m));
    this.methods = []; // those of the maps, in order
    this.maps.forEach((m) => this.know(m));
  }

  /** Notes a method that maps are by. */
  know({ key, name, note, about, ofGroup }) {
    const known = this.methods.find((m) => m.key === key);
    if (!known) {
      this.methods.push({ key, name, note: note || "", about: about || "", ofGroup });
    } else if (about && !known.about) {
      Object.assign(known, { note, about });
    }
  }

  /** Takes over a map's bytes. */
  hold(map) {
    unpack(map.bytes).then((bytes) => {
      if (bytes.length !== this.patches) {
        throw new Error(`a map of ${bytes.length} values for ${this.patches} patches`);
      }
      map.field = new Field(bytes, map.low, map.high, map.signed);
      this.changed?.();
    });
  }

  /** The text of a head's block; -1 is the mean of the heads. */
  source(layer, head) {
    return head < 0 ? this.layers[layer].mean : this.layers[layer].heads[head];
  }

  /** A head's block, or null while it is being unpacked. */
  block(layer, head) {
    const text = this.source(layer, head);
    if (!text) {
      return null;
    }
    if (!this.blocks.has(text)) {
      this.blocks.set(text, null);
      unpack(text).then((bytes) => {
        this.blocks.set(text, new Block(bytes, this.queries, this.patches));
        this.changed?.();
      });
    }
    return this.blocks.get(text);
  }

  /** Where a query looks in a head of a layer; null while it is being unpacked. */
  attention(layer, head, query) {
    return this.block(layer, head)?.fields[query] ?? null;
  }

  /** The query that a patch belongs to. */
  queryAt(row, col) {
    return this.tokens.length + Math.floor(row / this.step) * this.queryCols + Math.floor(col / this.step);
  }

  /** The map by a method for a group, or for every group. */
  find(key, group) {
    return this.maps.find((m) => m.key === key && m.group === group) ?? this.maps.find((m) => m.key === key && m.group === "");
  }

  /** Adds a map that a cell's program has made. */
  add(map, group) {
    if (map.group && !this.groups.some((g) => g.name === group.name)) {
      this.groups.push(group);
    }
    this.maps = this.maps.filter((m) => m.key !== map.key || m.group !== map.group);
    this.maps.push(map);
    this.know(map);
    this.hold(map);
  }
}

const data = JSON.parse(document.getElementById("data").textContent);
const pictures = data.pictures.map((raw) => new Picture(raw));
const colormaps = data.colormaps.map(({ name, diverging, table }) => {
  const bytes = bytesOf(table);
  const colours = new Uint32Array(256); // as a canvas has them: red in the lowest byte
  for (let i = 0; i < 256; i++) {
    colours[i] = (0xff000000 | (bytes[3 * i + 2] << 16) | (bytes[3 * i + 1] << 8) | bytes[3 * i]) >>> 0;
  }
  return { name, diverging, colours };
});
