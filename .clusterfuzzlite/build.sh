#!/bin/bash -eu
# Not tried: see Dockerfile. The seeds and the dictionary are those of `qcow2 fuzz`.
npm ci
npm install --no-save @jazzer.js/core
npx qcow2 fuzz --corpus seeds --dict "$OUT/jazzer.dict"
zip -qj "$OUT/jazzer_seed_corpus.zip" seeds/*
compile_javascript_fuzzer qcow2-spec dist/props/fuzz/jazzer.js --sync
