// find.js VERSION…: what the task DockerInstaller@0 does with each version (its src/dockertoolinstaller.ts and dockerinstaller.ts) up to the
// download, which is an error here: look in the tool cache, make the client executable, put it before PATH, ask it for its version.
const tool = require('azure-pipelines-tool-lib/tool');
const task = require('azure-pipelines-task-lib/task');
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

for (const version of process.argv.slice(2)) {
    const clean = version.replace(/(0+)([1-9]+)/, '$2');
    const dir = tool.findLocalTool('docker-stable', clean);
    if (!dir) throw new Error(`${version} is not in the tool cache`);
    const found = task.match(task.find(dir), path.join(dir, 'docker'));
    if (found.length !== 1) throw new Error(`${version}: ${found.length} clients`);
    fs.chmodSync(found[0], '755');
    tool.prependPath(dir);
    const docker = task.which('docker', true);
    if (docker !== found[0]) throw new Error(`${version}: PATH has ${docker}`);
    const said = execFileSync(docker, ['--version'], { encoding: 'utf8' });
    process.stdout.write(said.replace(/^(Docker version)/m, `${version} found ${docker} $1`));
}
