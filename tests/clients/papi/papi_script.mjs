// What a user of polkadot-api (PAPI) does without generated descriptors, against the node whose
// WebSocket URL is given; prints one JSON document of what the client understood.
import { ed25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { createClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws-provider';
import { WebSocket } from 'ws';

const FML = 10n ** 18n;
const DEV_SEED = Buffer.from('fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e', 'hex');

// The development key of a hard junction: blake2b-256 of "Ed25519HDKD", seed, chain code.
function keyOf(name) {
  const code = Buffer.alloc(32);
  code[0] = name.length << 2;
  code.write(name, 1);
  const word = Buffer.from('Ed25519HDKD');
  const preimage = Buffer.concat([Buffer.from([word.length << 2]), word, DEV_SEED, code]);
  const secret = blake2b(preimage, { dkLen: 32 });
  const publicKey = ed25519.getPublicKey(secret);
  const signer = getPolkadotSigner(publicKey, 'Ed25519', (data) => ed25519.sign(data, secret));
  return { publicKey, signer };
}

function addressOf(publicKey) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const body = Buffer.concat([Buffer.from([42]), publicKey]);
  const sum = blake2b(Buffer.concat([Buffer.from('SS58PRE'), body]), { dkLen: 64 }).slice(0, 2);
  let number = BigInt('0x' + Buffer.concat([body, Buffer.from(sum)]).toString('hex'));
  let text = '';
  for (; number > 0n; number /= 58n) text = alphabet[Number(number % 58n)] + text;
  return text;
}

const alice = keyOf('Alice'), bob = keyOf('Bob');
const [aliceText, bobText] = [addressOf(alice.publicKey), addressOf(bob.publicKey)];
const client = createClient(getWsProvider(process.argv[2], { websocketClass: WebSocket }));
const api = client.getUnsafeApi();
const found = {};
const spec = await client.getChainSpecData();
found.chain = spec.name;
found.properties = spec.properties;
found.deposit = String(await api.constants.Balances.ExistentialDeposit());
found.accounts = (await api.query.System.Account.getEntries()).length;
found.nonce = await api.apis.AccountNonceApi.account_nonce(aliceText);
const freeOf = async (who) => (await api.query.System.Account.getValue(who)).data.free;
const before = await freeOf(bobText);
const watched = [];
const watching = api.query.System.Account.watchValue(bobText, 'best')
  .subscribe((value) => watched.push(String((value.value ?? value).data.free)));

const summary = (done) => ({
  ok: done.ok,
  error: done.dispatchError ?? null,
  hasBlock: done.block.hash.startsWith('0x'),
  events: done.events.map(({ type, value }) => `${type}.${value.type}`),
});
const send = async (tx) => summary(await tx.signAndSubmit(alice.signer));
const dest = { type: 'Id', value: bobText };
found.fee = String(await api.tx.Balances.transfer_keep_alive({ dest, value: FML }).getEstimatedFees(aliceText));
found.transfer = await send(api.tx.Balances.transfer_keep_alive({ dest, value: FML }));
found.failure = await send(api.tx.Balances.transfer_keep_alive({ dest, value: 10n ** 30n }));
found.bond = await send(api.tx.Staking.bond({ value: 500n * FML }));
found.ledger = await api.query.Staking.Ledger.getValue(aliceText);
found.received = String((await freeOf(bobText)) - before);
watching.unsubscribe();
found.watched = watched.length;
found.finalized = (await client.getFinalizedBlock()).number;
client.destroy();
console.log(JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
process.exit(0);
