// Object storage for the tests: node s3_server.mjs PORT INNER_PORT FOLDER. s3rver keeps the objects but looks at no
// signature, so each request first meets a door that computes it anew, with another implementation (aws4).
import { createHash } from 'node:crypto';
import { createServer, request as send } from 'node:http';
import aws4 from 'aws4';
import S3rver from 's3rver';

const [port, inner, directory] = process.argv.slice(2);
const secrets = { S3RVER: 'S3RVER' };

/** The code of what is wrong with the request's signature; empty when it is right. */
function fault(incoming, body) {
  const given = incoming.headers.authorization ?? '';
  const parts = /Credential=([^/]+)\/\d{8}\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=/.exec(given);
  if (!parts) return 'AccessDenied';
  const [, key, region, names] = parts;
  if (!(key in secrets)) return 'InvalidAccessKeyId';
  if (createHash('sha256').update(body).digest('hex') !== incoming.headers['x-amz-content-sha256'])
    return 'XAmzContentSHA256Mismatch';
  const headers = Object.fromEntries(names.split(';').map((name) => [name, incoming.headers[name]]));
  const signed = aws4.sign(
    { service: 's3', region, method: incoming.method, path: incoming.url, headers },
    { accessKeyId: key, secretAccessKey: secrets[key] },
  );
  return signed.headers.Authorization === given ? '' : 'SignatureDoesNotMatch';
}

const storage = new S3rver({
  port: Number(inner),
  address: '127.0.0.1',
  directory,
  silent: true,
  configureBuckets: [{ name: 'orders' }],
});
await storage.run();
createServer(async (incoming, answer) => {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  const body = Buffer.concat(parts);
  const code = fault(incoming, body);
  if (code) {
    answer.writeHead(403, { 'Content-Type': 'application/xml' });
    return answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>Refused: ${code}</Message></Error>`);
  }
  const options = { port: inner, host: '127.0.0.1', method: incoming.method, path: incoming.url, headers: incoming.headers };
  send(options, (reply) => {
    answer.writeHead(reply.statusCode, reply.headers);
    reply.pipe(answer);
  })
    .on('error', () => answer.destroy())
    .end(body);
}).listen(Number(port), '127.0.0.1');
