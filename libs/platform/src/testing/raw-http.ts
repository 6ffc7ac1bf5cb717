import { connect } from 'node:net';

/** Sends text as it stands to the server, and answers with what came back until the server closed. */
export function rawRequest(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done, failed) => {
    let received = '';
    const connection = connect(Number(port), hostname, () => connection.write(text));
    connection.on('data', (part) => (received += part.toString()));
    connection.on('close', () => done(received)).on('error', failed);
  });
}
