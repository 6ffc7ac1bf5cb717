import { connect } from 'node:net';

/** Sends text as it stands to the server, and answers with what came back until the server closed. */
export function raatt(url: string, tekst: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((ferdig, feilet) => {
    let mottatt = '';
    const forbindelse = connect(Number(port), hostname, () => forbindelse.write(tekst));
    forbindelse.on('data', (del) => (mottatt += del.toString()));
    forbindelse.on('close', () => ferdig(mottatt)).on('error', feilet);
  });
}
