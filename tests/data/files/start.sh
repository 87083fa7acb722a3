#!/bin/sh
echo '%PDF-'
