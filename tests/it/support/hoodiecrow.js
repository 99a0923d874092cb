// Servers of hoodiecrow-imap, one for each line on standard input: its storage as JSON. Answers the port of each.
// They end when standard input does. What of it is broken and is so on no other server is mended here.
"use strict";

// It was written for older versions of Node.
global.Buffer = require("buffer").Buffer;
process.removeAllListeners("warning");

const hoodiecrow = require(process.argv[2]);

const atom = value => ({ type: "ATOM", value });

// A folder that is not there, a name that is taken, news of flags for the others, and what Gmail searches by.
function mend(server) {
    server.outputHandlers.push((connection, response, description, parsed) => {
        const said = (response.attributes || []).map(part => part && part.value);
        if (response.command !== "BAD" || !said.some(text => /^Invalid mailbox (name|argument)$/.test(text))) return;
        response.command = "NO";
        if (parsed && /^APPEND$/i.test(parsed.command)) {
            response.attributes = [{ type: "SECTION", section: [atom("TRYCREATE")] }].concat(response.attributes);
        }
    });
    const rename = server.getCommandHandler("RENAME");
    server.setCommandHandler("RENAME", (connection, parsed, data, done) => {
        const to = parsed.attributes && parsed.attributes[1] && parsed.attributes[1].value;
        if (!to || !server.getMailbox(to)) return rename(connection, parsed, data, done);
        const text = [{ type: "TEXT", value: "There is one of that name" }];
        connection.send({ tag: parsed.tag, command: "NO", attributes: text }, "RENAME FAILED", parsed, data);
        done();
    });
    // Gmail's own search, as far as words go.
    server.searchHandlers["X-GM-RAW"] = (connection, message, sequence, query) =>
        query.toLowerCase().split(" ").every(word => message.raw.toLowerCase().includes(word));
    const store = server.getCommandHandler("UID STORE");
    server.setCommandHandler("UID STORE", (connection, parsed, data, done) => {
        store(connection, parsed, data, done);
        const mailbox = connection.selectedMailbox;
        if (!mailbox || !parsed.attributes || !parsed.attributes[0]) return;
        for (const [number, message] of server.getMessageRange(mailbox, parsed.attributes[0].value, true)) {
            const flags = [atom("UID"), message.uid, atom("FLAGS"), message.flags.map(atom)];
            server.notify({ tag: "*", attributes: [number, atom("FETCH"), flags] }, mailbox, connection);
        }
    });
}

function serve(storage) {
    const server = hoodiecrow({
        plugins: ["ENABLE", "ID", "SASL-IR", "AUTH-PLAIN", "NAMESPACE", "IDLE", "LITERALPLUS", "SPECIAL-USE",
            "UNSELECT", "UIDPLUS", "MOVE", "X-GM-EXT-1"],
        users: { ada: { password: "pass" } },
        storage,
    });
    // The plugin tells X-GM-MSGID, and forgets to say so.
    server.registerCapability("X-GM-EXT-1");
    mend(server);
    server.listen(0, "127.0.0.1", () => console.log(server.server.address().port));
}

require("readline")
    .createInterface({ input: process.stdin })
    .on("line", line => serve(JSON.parse(line)))
    .on("close", () => process.exit(0));
