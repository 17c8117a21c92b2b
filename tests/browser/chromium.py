# SPDX-License-Identifier: GPL-2.0-only
"""Chromium without a window, driven by its DevTools protocol through a pipe.

The browser reads commands from its descriptor 3 and answers on 4, as JSON texts with a 0 byte
behind each. One page is opened; what it writes to the console, what fails in it and what it asks
for are kept, since a good page leaves the first two empty.
"""
import json
import os
import shutil
import subprocess
import tempfile

TIMEOUT_S = 60


class BrowserError(Exception):
    pass


class Browser:
    def __init__(self, program):
        commands_in, self.commands = os.pipe()
        self.answers, answers_out = os.pipe()
        self.profile = tempfile.mkdtemp(prefix="numaslab-browser-")
        # a shell, since the numbers must be 3 and 4
        self.process = subprocess.Popen(
            ["bash", "-c", 'exec "$@" 3<&%d 4>&%d' % (commands_in, answers_out), "bash", program,
             "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
             "--user-data-dir=" + self.profile],
            pass_fds=(commands_in, answers_out), stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)
        os.close(commands_in)
        os.close(answers_out)
        self.number, self.session, self.rest = 0, None, b""
        self.messages, self.requests, self.events = [], [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.call(domain + ".enable")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except BrowserError:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.rest:
            got = os.read(self.answers, 1 << 20)
            if not got:
                raise BrowserError("the browser is gone: status %s" % self.process.poll())
            self.rest += got
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.messages.append(str([part.get("value") for part in params["args"]]))
        elif method == "Runtime.exceptionThrown":
            self.messages.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.messages.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if method:
            self.events.append(method)
        return message

    def call(self, method, **params):
        self.number += 1
        command = {"id": self.number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") != self.number:
                continue
            if "error" in message:
                raise BrowserError("%s: %s" % (method, message["error"]["message"]))
            return message["result"]

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url="file://" + path)
        while "Page.loadEventFired" not in self.events:
            self.receive()

    def run(self, expression):
        """The value of an expression of the page's own language."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError("%s: %s" % (expression, result["exceptionDetails"]))
        return result["result"].get("value")

    def press(self, key, code):
        for kind in ("rawKeyDown", "char", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, text=chr(code) if kind == "char" else "")

    def media(self, scheme, kind=""):
        self.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
