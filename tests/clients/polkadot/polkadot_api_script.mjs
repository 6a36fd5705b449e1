// What a user of @polkadot/api does, against the node whose WebSocket URL is given.
//
// Prints one JSON document of what the client understood.

import process from 'node:process';

import { ApiPromise, HttpProvider, Keyring, WsProvider } from '@polkadot/api';

const FML = 10n ** 18n;

const alice = { ed25519: key('ed25519', '//Alice'), sr25519: key('sr25519', '//Alice') };
const bob = key('ed25519', '//Bob');

function key(type, uri) {
  return () => new Keyring({ type, ss58Format: 42 }).addFromUri(uri);
}

// Send an extrinsic; every status and what the last one carried, once `isDone` says so.
async function follow(extrinsic, signer, options, isDone) {
  const statuses = [];
  let unsubscribe = () => {};
  const last = await new Promise((resolve, reject) => {
    extrinsic
      .signAndSend(signer, options, (result) => {
        statuses.push(result.status.type);
        if (isDone(result.status)) resolve(result);
        if (result.isError) reject(new Error(`the extrinsic ended as ${result.status.type}`));
      })
      .then((stop) => { unsubscribe = stop; }, reject);
  });
  unsubscribe();
  return { statuses, result: last };
}

const isFinal = (status) => status.isFinalized;
const isIncluded = (status) => status.isInBlock || status.isFinalized;

async function transfer(api, signer, dest) {
  const payment = api.tx.balances.transferKeepAlive(dest.address, FML);
  const { partialFee } = await payment.paymentInfo(signer);
  const { statuses, result } = await follow(payment, signer, {}, isFinal);
  const hash = result.status.asFinalized;
  const { block } = await api.rpc.chain.getBlock(hash);
  return {
    statuses,
    isSuccess: result.dispatchError === undefined,
    fee: partialFee.toString(),
    events: result.events.map(({ event }) => `${event.section}.${event.method}`),
    calls: block.extrinsics.map(({ method }) => `${method.section}.${method.method}`),
    isHashRight: block.header.hash.eq(hash),
  };
}

// A call that the chain takes in and refuses: the error comes back by name, with its meaning.
async function failure(api, call, signer) {
  const { result } = await follow(call, signer, { era: 0 }, isIncluded);
  if (!result.dispatchError?.isModule) return { isModule: false };
  const { section, name, docs } = api.registry.findMetaError(result.dispatchError.asModule);
  return { isModule: true, section, name, docs: docs.join(' ') };
}

// Two heads and the events of the second, which holds the extrinsic sent after the first.
async function subscriptions(api, signer, dest) {
  const heads = [];
  const events = [];
  const unsubscribes = [];
  await new Promise((resolve, reject) => {
    const check = () => {
      if (heads.length >= 2 && events.at(-1)?.includes('balances.Transfer')) resolve();
    };
    const open = async () => {
      unsubscribes.push(await api.query.system.events((records) => {
        events.push(records.map(({ event }) => `${event.section}.${event.method}`));
        check();
      }));
      unsubscribes.push(await api.rpc.chain.subscribeNewHeads((head) => {
        heads.push(head.number.toNumber());
        check();
      }));
      await api.tx.balances.transferKeepAlive(dest.address, FML).signAndSend(signer);
    };
    open().catch(reject);
  });
  unsubscribes.forEach((stop) => stop());
  return { heads, events: events.at(-1) };
}

async function refusal(call, signer) {
  try {
    await call.signAndSend(signer, { nonce: 0 });
  } catch (error) {
    return error.message;
  }
  return '';
}

async function reads(api, ed, sr) {
  const accounts = await api.query.system.account.entries();
  const old = await api.at(await api.rpc.chain.getBlockHash(1));
  const proof = await api.rpc.state.getReadProof([api.query.system.account.key(ed.address)]);
  return {
    accounts: accounts.length,
    hasAlice: accounts.some(([{ args: [account] }]) => account.eq(ed.address)),
    many: (await api.query.system.account.multi([ed.address, sr.address])).length,
    oldNumber: (await old.query.system.number()).toNumber(),
    nonce: (await api.call.accountNonceApi.accountNonce(ed.address)).toNumber(),
    proofNodes: proof.proof.length,
    derivedBest: (await api.derive.chain.bestNumber()).toNumber(),
    available: (await api.derive.balances.all(ed.address)).availableBalance.toString(),
  };
}

async function overHttp(url) {
  const api = await ApiPromise.create({ provider: new HttpProvider(url), throwOnConnect: true });
  return (await api.query.system.number()).toNumber();
}

async function main(url) {
  const api = await ApiPromise.create({ provider: new WsProvider(url), throwOnConnect: true });
  const [ed, sr, dest] = [alice.ed25519(), alice.sr25519(), bob()];
  const free = async () => (await api.query.system.account(dest.address)).data.free.toBigInt();
  const found = {
    chain: (await api.rpc.system.chain()).toString(),
    specName: api.runtimeVersion.specName.toString(),
    metadata: api.runtimeMetadata.version,
    tokens: api.registry.chainTokens,
    decimals: api.registry.chainDecimals,
    extensions: api.registry.signedExtensions,
    pallets: Object.keys(api.tx),
    apis: Object.keys(api.call),
    deposit: api.consts.balances.existentialDeposit.toString(),
    prefix: api.consts.system.ss58Prefix.toNumber(),
  };
  const before = await free();
  found.transfers = [await transfer(api, ed, dest), await transfer(api, sr, dest)];
  found.received = ((await free()) - before).toString();
  found.reads = await reads(api, ed, sr);
  const submission = api.tx.arena.commitSubmission(1, new Uint8Array(32));
  const tooMuch = api.tx.balances.transferKeepAlive(dest.address, 10n ** 30n);
  found.arenaFailure = await failure(api, submission, sr);
  found.balancesFailure = await failure(api, tooMuch, ed);
  found.subscriptions = await subscriptions(api, ed, dest);
  found.refused = await refusal(api.tx.balances.transferKeepAlive(dest.address, FML), ed);
  await api.disconnect();
  found.overHttp = await overHttp(url.replace(/^ws/, 'http'));
  return found;
}

// The library logs to the console; the last line on standard output is the answer.
process.stdout.write(`${JSON.stringify(await main(process.argv[2]))}\n`, () => process.exit(0));
