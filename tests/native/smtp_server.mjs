// A mail server for the tests: node smtp_server.mjs PORT FOLDER [--tls KEY CERTIFICATE] [--starttls KEY CERTIFICATE]
// Users: ann with the password "spring". Each accepted mail becomes FOLDER/N.eml and FOLDER/N.json (its envelope).
// Faults by recipient: full@ 452, nobody@ 550; by sender: spam@ 554 after the data.
import { readFileSync, writeFileSync } from 'node:fs';
import { SMTPServer } from 'smtp-server';

const [port, folder, mode, key, certificate] = process.argv.slice(2);
const refuse = (responseCode, message) => Object.assign(new Error(message), { responseCode });
let count = 0;
const tls = mode ? { key: readFileSync(key), cert: readFileSync(certificate) } : {};
const server = new SMTPServer({
  ...tls,
  secure: mode === '--tls',
  hideSTARTTLS: mode !== '--starttls',
  allowInsecureAuth: true,
  authOptional: mode === undefined,
  logger: false,
  onAuth(auth, session, done) {
    if (auth.username === 'ann' && auth.password === 'spring') return done(null, { user: 'ann' });
    done(refuse(535, `The password of '${auth.username}' was changed`));
  },
  onRcptTo(address, session, done) {
    if (address.address.startsWith('full@')) return done(refuse(452, 'The mailbox is full, try later'));
    if (address.address.startsWith('nobody@')) return done(refuse(550, 'There is no such mailbox'));
    done();
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      if (session.envelope.mailFrom.address.startsWith('spam@')) return done(refuse(554, 'This looks like spam'));
      count += 1;
      writeFileSync(`${folder}/${count}.eml`, Buffer.concat(parts));
      writeFileSync(
        `${folder}/${count}.json`,
        JSON.stringify({
          from: session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map((one) => one.address),
          secure: session.secure,
          user: session.user ?? '',
        }),
      );
      done(null, `Kept as ${count}`);
    });
  },
});
server.on('error', (error) => console.error(error.message));
server.listen(Number(port), '127.0.0.1');
