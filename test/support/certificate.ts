import { generateKeyPairSync, sign } from 'node:crypto';

const DAY_MS = 24 * 60 * 60 * 1000;

/** As PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/**
 * A certificate for a host name, good for a day and signed by its own key. It is written out byte by byte (RFC 5280, 4.1):
 * Node reads certificates and makes none, and not every machine has a program that does.
 */
export function selfSigned(name: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const algorithm = sequence(OID.ecdsaWithSha256);
  const named = sequence(der(SET, sequence(OID.commonName, der(UTF8_STRING, Buffer.from(name)))));
  const alternativeNames = sequence(der(DNS_NAME, Buffer.from(name)));
  const unsigned = sequence(
    der(VERSION, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(1)),
    algorithm,
    named,
    sequence(utcTime(now - DAY_MS), utcTime(now + DAY_MS)),
    named,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS, sequence(sequence(OID.subjectAltName, der(OCTET_STRING, alternativeNames)))),
  );
  const whole = sequence(unsigned, algorithm, bitString(sign('sha256', unsigned, privateKey)));
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Tags of DER (X.690). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const DNS_NAME = 0x82;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const OID = {
  ecdsaWithSha256: der(OBJECT_IDENTIFIER, Buffer.from('2a8648ce3d040302', 'hex')),
  commonName: der(OBJECT_IDENTIFIER, Buffer.from('550403', 'hex')),
  subjectAltName: der(OBJECT_IDENTIFIER, Buffer.from('551d11', 'hex')),
};

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag, ...lengthOf(content)), content]);
}

/** In as few bytes as it can be written in: some readers take no more. */
function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(SEQUENCE, ...contents);
}

function bitString(bits: Buffer): Buffer {
  return der(BIT_STRING, Buffer.of(0), bits);
}

/** `YYMMDDHHMMSSZ` */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}
