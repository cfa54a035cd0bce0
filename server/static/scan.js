// Reads QR codes with the camera, or from a photo, inside the page: no frame and no photo leaves the device.
// It only fills the form's evidence field and submits; judging is the server's. Without it, the form works by upload and paste.
"use strict";

(() => {
  const INTERVAL_MS = 60; // between two looks: 13 ms of reading leaves the page responsive
  const LONGEST_SIDE = 1280; // a version-20 code at 1280 px still has over 5 px per module
  const OURS = /^(YX1:|YXP:|HC1:|openid4vp:)/i;

  const one = (root, name) => root.querySelector(`[data-${name}]`);
  let reading = null; // the reader module, loaded once and only when needed

  function loadReader(settings) {
    reading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = settings.reader;
      script.onload = () => {
        const wasm = settings.wasm;
        window.ZXingWASM.prepareZXingModule({ overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? wasm : prefix + path) } });
        resolve(window.ZXingWASM);
      };
      script.onerror = () => {
        reading = null; // the next press tries again
        reject(Object.assign(new Error("reader"), { name: "ReaderMissing" }));
      };
      document.head.append(script);
    });
    return reading;
  }

  async function textIn(reader, picture, thorough, wanted = OURS) {
    const results = await reader.readBarcodes(picture, { formats: ["QRCode"], maxNumberOfSymbols: 4, tryHarder: thorough, tryInvert: thorough, tryDownscale: true });
    const texts = results.filter((result) => result.isValid && result.text).map((result) => result.text.trim());
    return texts.find((text) => wanted.test(text)) ?? texts[0] ?? null;
  }

  class Scanner {
    constructor(root) {
      this.root = root;
      this.form = root.closest("form") ?? document.getElementById(root.dataset.form);
      this.video = root.querySelector("video");
      this.canvas = document.createElement("canvas");
      this.status = one(root, "scan-status");
      this.wanted = root.dataset.accepts ? new RegExp(root.dataset.accepts, "i") : OURS; // other pages scan other codes
      this.stream = null;
      this.submitted = false;
      this.attempt = 0;
      root.hidden = false;
      one(root, "scan-start").addEventListener("click", () => this.start());
      one(root, "scan-stop").addEventListener("click", () => this.stop("stopped"));
      one(root, "scan-torch").addEventListener("click", (event) => this.torch(event.currentTarget));
      one(root, "scan-camera").addEventListener("change", (event) => this.start(event.currentTarget.value));
      document.addEventListener("visibilitychange", () => document.hidden && "running" in this.root.dataset && this.stop("paused"));
      window.addEventListener("pagehide", () => this.release());
      this.startIfAllowed();
    }

    // Texts are in the page, in its language: <template data-text="denied">.
    say(name) {
      const text = this.root.querySelector(`template[data-text="${name}"]`);
      this.status.replaceChildren(text ? text.content.cloneNode(true) : name);
      this.root.dataset.state = name;
    }

    async startIfAllowed() {
      if (!("autostart" in this.root.dataset) || !navigator.mediaDevices) return;
      try {
        const permission = await navigator.permissions.query({ name: "camera" });
        if (permission.state === "granted") await this.start();
      } catch {
        // Browsers without the camera permission name: the clerk presses the button.
      }
    }

    async start(deviceId) {
      this.release();
      const attempt = ++this.attempt; // a second press, or another camera, supersedes a start under way
      this.unknown = null;
      if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return this.say("insecure");
      this.say("starting");
      this.showControls(true);
      const wanted = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "environment" } };
      try {
        const reader = await loadReader(this.root.dataset); // first: a reader that fails must not leave a camera on
        const picture = { ...wanted, width: { ideal: 1280 }, height: { ideal: 720 } };
        const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: picture });
        if (attempt !== this.attempt) return stream.getTracks().forEach((track) => track.stop());
        this.stream = stream;
        this.video.srcObject = stream;
        await this.video.play();
        await this.offerCameras();
        this.say("looking");
        this.look(reader, stream);
      } catch (error) {
        if (attempt !== this.attempt) return;
        this.release();
        this.say({ NotAllowedError: "denied", NotFoundError: "missing", OverconstrainedError: "missing", NotReadableError: "busy", ReaderMissing: "reader" }[error.name] ?? "failed");
      }
    }

    async offerCameras() {
      const select = one(this.root, "scan-camera");
      const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
      const track = this.stream.getVideoTracks()[0];
      const current = track.getSettings().deviceId;
      select.replaceChildren(...cameras.map((camera, index) => new Option(camera.label || `${index + 1}`, camera.deviceId, false, camera.deviceId === current)));
      select.hidden = cameras.length < 2;
      one(this.root, "scan-torch").hidden = !track.getCapabilities?.().torch;
    }

    async look(reader, stream) {
      while (this.stream === stream && !this.submitted) {
        const text = this.video.readyState >= 2 ? await this.frameText(reader) : null;
        if (this.stream !== stream) return;
        if (text !== null) this.found(text);
        await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      }
    }

    async frameText(reader) {
      const { videoWidth: width, videoHeight: height } = this.video;
      if (!width || !height) return null;
      const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      const context = this.canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
      try {
        return await textIn(reader, context.getImageData(0, 0, this.canvas.width, this.canvas.height), true, this.wanted);
      } catch {
        return null; // one unreadable frame; the next one follows
      }
    }

    found(text) {
      if (this.submitted) return;
      if (!this.wanted.test(text)) {
        if (this.unknown !== text) this.say("foreign");
        this.unknown = text;
        return;
      }
      const field = this.form.elements.namedItem(this.root.dataset.field ?? "evidence");
      const before = field.value;
      field.value = text; // first: it may be what the form requires
      if (!this.form.checkValidity()) {
        field.value = before;
        if (this.unknown !== text) this.say("choose");
        this.unknown = text;
        this.form.reportValidity();
        return;
      }
      this.submitted = true;
      this.say("found");
      navigator.vibrate?.(40);
      this.release();
      this.form.requestSubmit();
    }

    async torch(button) {
      const track = this.stream?.getVideoTracks()[0];
      const on = button.getAttribute("aria-pressed") !== "true";
      try {
        await track?.applyConstraints({ advanced: [{ torch: on }] });
        button.setAttribute("aria-pressed", String(on));
      } catch {
        button.hidden = true; // announced by the camera, refused by its driver
      }
    }

    showControls(running) {
      one(this.root, "scan-start").hidden = running;
      one(this.root, "scan-stop").hidden = !running;
      this.root.toggleAttribute("data-running", running);
    }

    release() {
      this.stream?.getTracks().forEach((track) => track.stop());
      this.stream = null;
      this.video.srcObject = null;
      this.showControls(false);
      one(this.root, "scan-torch").hidden = true;
    }

    stop(reason) {
      this.attempt += 1;
      this.release();
      this.say(reason);
    }
  }

  // A drop zone around a file input. Photos are read here; only what cannot be read here is uploaded for the server to try.
  class DropZone {
    constructor(root) {
      this.root = root;
      this.input = root.querySelector("input[type=file]");
      this.form = this.input.form;
      this.note = one(root, "drop-note");
      this.input.addEventListener("change", () => this.take());
      for (const name of ["dragenter", "dragover"]) root.addEventListener(name, (event) => this.hover(event, true));
      for (const name of ["dragleave", "drop"]) root.addEventListener(name, (event) => this.hover(event, false));
      root.addEventListener("drop", (event) => this.accept(event.dataTransfer?.files));
      document.addEventListener("paste", (event) => event.clipboardData?.files.length && this.accept(event.clipboardData.files));
    }

    hover(event, over) {
      event.preventDefault();
      this.root.toggleAttribute("data-over", over);
    }

    accept(files) {
      if (!files?.length) return;
      const transfer = new DataTransfer();
      transfer.items.add(files[0]);
      this.input.files = transfer.files;
      this.take();
    }

    async take() {
      const file = this.input.files[0];
      if (!file) return;
      if (this.note) this.note.textContent = file.name;
      if (file.type.startsWith("image/")) {
        try {
          const reader = await loadReader(this.root.dataset);
          const text = await textIn(reader, file, true);
          if (text !== null && OURS.test(text)) {
            this.form.elements.namedItem("evidence").value = text;
            this.input.value = "";
          }
        } catch {
          // The server tries again with the picture itself.
        }
      }
      this.form.requestSubmit();
    }
  }

  for (const root of document.querySelectorAll("[data-scanner]")) new Scanner(root);
  for (const root of document.querySelectorAll("[data-drop]")) new DropZone(root);
})();
