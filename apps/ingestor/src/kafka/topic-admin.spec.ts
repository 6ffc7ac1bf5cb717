import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createTestTopic, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { Kafka, logLevel } from 'kafkajs';
import { TopicAdmin } from './topic-admin.ts';

describe('Where a topic begins and ends', () => {
  const brokers = testEnvironment().kafka.split(',');
  let topic: TestTopic;
  let admin: TopicAdmin;

  beforeEach(async () => {
    topic = await createTestTopic({ partitions: 3 });
    admin = new TopicAdmin({ brokers, clientId: 'test' });
  });

  afterEach(async () => {
    admin.disconnect();
    await topic.remove();
  });

  it('is told with what is acknowledged, what may be read, and what has been removed', async () => {
    await topic.publish(Array.from({ length: 5 }, () => ({ key: 'a', value: 'b', partition: 1 })));
    await topic.forget([{ partition: 1, offset: 2 }]);
    const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({
      transactionalId: topic.topic,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: topic.topic, messages: [{ key: 'a', value: 'c', partition: 1 }] });

    const { partitions } = await admin.describe(topic.topic);

    await transaction.abort();
    await producer.disconnect();
    expect(partitions).toEqual([
      { partition: 0, start: 0, end: 0, stableEnd: 0 },
      { partition: 1, start: 2, end: 6, stableEnd: 5 },
      { partition: 2, start: 0, end: 0, stableEnd: 0 },
    ]);
  });

  it('is told with the id, which is another when the topic is made anew, and nothing is told until it is there', async () => {
    const first = await admin.describe(topic.topic);
    expect(await admin.describe(topic.topic)).toEqual(first);
    await topic.admin.deleteTopics({ topics: [topic.topic] });
    const asking = admin.describe(topic.topic);
    // The broker knows no topic of this name for a while.
    await waitUntil(
      () => topic.admin.createTopics({ topics: [{ topic: topic.topic, numPartitions: 2 }] }).catch(() => false),
      { what: 'the topic made anew' },
    );
    const second = await asking;
    expect(second.id).toMatch(/^[\w-]{22}$/);
    expect(second.id).not.toBe(first.id);
    expect(second.partitions).toHaveLength(2);
  });

  it('is asked for elsewhere when a broker is silent or says what no broker says', async () => {
    const answers = ['', 'HTTP/1.1 400 Bad Request\r\n\r\n'];
    const [host = '', port = ''] = brokers[0]?.split(':') ?? [];
    let taken = 0;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      const answer = answers[taken++];
      if (answer === undefined) socket.pipe(connect(Number(port), host)).pipe(socket);
      else socket.write(answer);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const through = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const doubted = new TopicAdmin({ brokers: [through], clientId: 'test' }, 300);
    const description = await doubted.describe(topic.topic);
    doubted.disconnect();
    server.close();
    expect(description).toEqual(await admin.describe(topic.topic));
    expect(taken).toBe(3);
  });

  it('is asked for over one new connection when the old one has closed, however many ask', async () => {
    const [host = '', port = ''] = brokers[0]?.split(':') ?? [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      const broker = connect(Number(port), host);
      for (const one of [socket, broker]) one.on('error', () => undefined);
      socket.pipe(broker).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const through = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const many = new TopicAdmin({ brokers: [through], clientId: 'test' });
    await many.describe(topic.topic);
    for (const socket of sockets) socket.destroy();
    await Promise.all(Array.from({ length: 10 }, () => many.describe(topic.topic)));
    many.disconnect();
    await new Promise((resolve) => server.close(resolve));
    expect(sockets).toHaveLength(2);
  });

  it('is not waited for by who may give up, nor after it has been disconnected', async () => {
    const none = { brokers: ['127.0.0.1:1'], clientId: 'test' };
    const impatient = new TopicAdmin({ ...none, retries: 1 });
    await expect(impatient.describe(topic.topic)).rejects.toThrow('ECONNREFUSED');
    const patient = new TopicAdmin(none);
    const asking = patient.describe(topic.topic);
    patient.disconnect();
    await expect(asking).rejects.toThrow();
  });
});
