// docker-task.js: a job with the task Docker@2 (login, buildAndPush, start, stop, logout) by the library that they are made of.
// Runs in a directory of its own inside an engine of the lab; prints a line a check and fails with the first that does.
const assert = require('assert');
const fs = require('fs');
const path = require('path');

const here = process.cwd();
process.env.AGENT_TEMPDIRECTORY = process.env.AGENT_TOOLSDIRECTORY = here;
process.env.SYSTEM_DEFAULTWORKINGDIRECTORY = here;
process.env.TF_BUILD = 'True';
process.env.INPUT_BUILDCONTEXT = path.join(here, '**');
process.env.VSTS_TASKVARIABLE_AGENT_TEMPDIRECTORY = here;
// task-lib tells the agent of variables and errors on stdout.
const log = fs.openSync(path.join(here, 'log'), 'w');
process.stdout.write = (text) => fs.writeSync(log, text) > 0;
const tell = (text) => fs.writeSync(1, `${text}\n`);

const task = require('azure-pipelines-task-lib/task');
task.setVariable('agent.tempDirectory', here);
const Connection = require('azure-pipelines-tasks-docker-common/containerconnection').default;
const commands = require('azure-pipelines-tasks-docker-common/dockercommandutils');
const images = require('azure-pipelines-tasks-docker-common/containerimageutils');
const Token = require('azure-pipelines-tasks-docker-common/registryauthenticationprovider/registryauthenticationtoken').default;

const registry = '127.0.0.1:5001';
const image = `${registry}/team/task:1`;
fs.writeFileSync('Dockerfile', 'FROM busybox\nRUN echo one >/one\nENV TWO=2\nCOPY three /three\nCMD ["cat", "/three"]\n');
fs.writeFileSync('three', 'three\n');

async function main() {
    const connection = new Connection();
    connection.open(null, new Token('ci', 'secret', registry, 'a@b.example', 'VSTS'), true, false);
    const config = path.join(process.env.DOCKER_CONFIG, 'config.json');
    assert(config.startsWith(here) && JSON.parse(fs.readFileSync(config)).auths[registry]);
    tell('ok login by a config file');

    const base = images.getImageDigest(connection, 'busybox');
    assert.match(base, /^sha256:[0-9a-f]{64}$/);
    tell('ok one digest of the base image');

    const labels = ['com.azure.dev.image.system.teamproject=My project', 'image.base.ref.name=busybox', `image.base.digest=${base}`];
    for (const kit of ['1', '0', undefined]) {
        if (kit === undefined) delete process.env.DOCKER_BUILDKIT; else process.env.DOCKER_BUILDKIT = kit;
        let output;
        await commands.build(connection, path.join(here, 'Dockerfile'), '--build-arg "A=b c"', labels, [image, `${registry}/team/task:2`], (text) => (output = text));
        const id = images.getImageIdFromBuildOutput(output);
        // Without the variable Docker 23 and later write as BuildKit does, to stderr, where the task does not look.
        if (kit !== undefined || process.argv[2] !== 'docker') {
            let found;
            await commands.command(connection, 'images', `-q --no-trunc ${image}`, (text) => (found = text));
            assert(id.length === 12 && found.startsWith(`sha256:${id}`), `DOCKER_BUILDKIT=${kit}: [${id}] of ${found}\n${output}`);
        }
        tell(`ok build, DOCKER_BUILDKIT=${kit}`);
    }

    for (const tag of [image, `${registry}/team/task:2`]) {
        let output;
        await commands.push(connection, tag, '', (_, text) => (output = text));
        // Docker@2's and Docker@1's own patterns.
        assert.match(output, /sha256:([\w]+)(\s+)size:\s([\w]+)/);
        assert.match(output, /^[^:]*: digest: ([^ ]*) size: \d*$/m);
    }
    assert.match(images.getImageDigest(connection, image), /^sha256:[0-9a-f]{64}$/);
    tell('ok push, and one digest');

    const history = await commands.getHistory(connection, image);
    const layers = commands.getLayers(history);
    assert(layers.length >= 5 && layers.some((layer) => layer.directive === 'RUN' || /echo one/.test(JSON.stringify(layer))), history);
    assert(parseInt(commands.getImageSize(layers)) > 100000, commands.getImageSize(layers));
    const name = commands.getImageFingerPrintV1Name(history);
    const roots = await commands.getImageRootfsLayers(connection, name);
    assert(roots.length >= 3 && roots.every((root) => /^sha256:[0-9a-f]{64}$/.test(root.trim())), roots.join());
    assert.match(commands.getImageFingerPrint(roots, name).v2Name, /^[0-9a-f]{64}$/);
    tell('ok history, size, layers and fingerprint');

    await commands.command(connection, 'run', `-d --name task ${image} sleep 100`, () => {});
    for (const verb of ['stop', 'start']) {
        let output;
        await commands[verb](connection, 'task', verb === 'stop' ? '-t 0' : '', (_, text) => (output = text));
        assert.strictEqual(output.trim(), 'task');
    }
    await commands.command(connection, 'rm', '-f task', (text) => assert.strictEqual(text, 'task\n'));
    tell('ok run, stop, start');

    connection.close(true, 'logout');
    await assert.rejects(async () => commands.push(new Connection(), image, '', () => {}));
    tell('ok logout');
}
main().catch((error) => { tell(`FAILED ${error.stack || error}`); tell(fs.readFileSync(path.join(here, 'log'), 'utf8').slice(-3000)); process.exit(1); });
