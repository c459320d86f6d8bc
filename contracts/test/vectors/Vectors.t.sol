// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Batch, BatchProof, Parties, Split} from "../../src/interfaces/IJobSettlement.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Rows} from "../utils/Rows.sol";

/// @notice Holds our TypeScript and these contracts against the same `vectors/*.json`.
contract VectorsTest is Fixture {
    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 jobId,bytes32 podId,bytes32 manifestHash,bytes32 requestHash,bytes32 outputHash,bytes32 seedCommitment,bytes32 decisionHash,uint64 inputUnits,uint64 outputUnits,address asset,uint256 price,address payer,address frontend,address node,bytes32 leaseId,uint32 attempt,uint64 fencingToken,uint64 startedAtMs,uint64 finishedAtMs,uint8 routeClass,uint64 computeUnits)"
    );

    /* SPLIT */

    function test_SplitMatchesTheModel() public view {
        string memory json = vm.readFile("vectors/split.json");
        uint256[] memory payments = vm.parseJsonUintArray(json, ".payments");
        uint256[] memory partyBits = vm.parseJsonUintArray(json, ".parties");
        uint256[][5] memory expected = [
            vm.parseJsonUintArray(json, ".node"),
            vm.parseJsonUintArray(json, ".deployer"),
            vm.parseJsonUintArray(json, ".frontend"),
            vm.parseJsonUintArray(json, ".voters"),
            vm.parseJsonUintArray(json, ".protocol")
        ];
        assertGe(payments.length, 100, "cases");

        for (uint256 i; i < payments.length; ++i) {
            Split memory split = settlement.quoteSplit(
                payments[i], Parties(partyBits[i] & 1 != 0, partyBits[i] & 2 != 0, partyBits[i] & 4 != 0)
            );
            string memory label = string.concat("case ", vm.toString(i));
            assertEq(split.node, expected[0][i], label);
            assertEq(split.deployer, expected[1][i], label);
            assertEq(split.frontend, expected[2][i], label);
            assertEq(split.voters, expected[3][i], label);
            assertEq(split.protocol, expected[4][i], label);
        }
    }

    /* BATCH */

    function test_BatchEncodingAndHashMatch() public view {
        string memory json = vm.readFile("vectors/batch.json");
        Batch memory batch = Batch({
            number: uint64(vm.parseJsonUint(json, ".number")),
            previousHash: vm.parseJsonBytes32(json, ".previousHash"),
            receiptsRoot: vm.parseJsonBytes32(json, ".receiptsRoot"),
            jobCount: uint32(vm.parseJsonUint(json, ".jobCount")),
            openHeu: uint96(vm.parseJsonUint(json, ".openHeu")),
            openUsd: uint96(vm.parseJsonUint(json, ".openUsd")),
            debits: vm.parseJsonUintArray(json, ".debits"),
            credits: vm.parseJsonUintArray(json, ".credits")
        });

        bytes memory callData = abi.encodeCall(settlement.settle, (batch));
        assertEq(keccak256(callData), keccak256(vm.parseJsonBytes(json, ".calldata")), "calldata");
        bytes32 batchHash = keccak256(bytes.concat(batch.previousHash, batch.receiptsRoot, Rows.contentHash(batch)));
        assertEq(batchHash, vm.parseJsonBytes32(json, ".batchHash"), "hash");
    }

    /* RECEIPTS */

    function test_ReceiptDigestMatches() public view {
        string memory json = vm.readFile("vectors/receipts.json");
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Heurist"),
                keccak256("1"),
                vm.parseJsonUint(json, ".chainId"),
                vm.parseJsonAddress(json, ".settlement")
            )
        );
        assertEq(separator, vm.parseJsonBytes32(json, ".domainSeparator"), "domain");

        bytes32 structHash = keccak256(bytes.concat(RECEIPT_TYPEHASH, hashes(json), parties(json), numbers(json)));
        bytes32[] memory digests = vm.parseJsonBytes32Array(json, ".digests");
        assertEq(keccak256(abi.encodePacked("\x19\x01", separator, structHash)), digests[1], "digest");
    }

    function hashes(string memory json) private pure returns (bytes memory) {
        return bytes.concat(
            vm.parseJsonBytes32(json, ".receipt.jobId"),
            vm.parseJsonBytes32(json, ".receipt.podId"),
            vm.parseJsonBytes32(json, ".receipt.manifestHash"),
            vm.parseJsonBytes32(json, ".receipt.requestHash"),
            vm.parseJsonBytes32(json, ".receipt.outputHash"),
            vm.parseJsonBytes32(json, ".receipt.seedCommitment"),
            vm.parseJsonBytes32(json, ".receipt.decisionHash"),
            abi.encode(vm.parseJsonUint(json, ".receipt.inputUnits"), vm.parseJsonUint(json, ".receipt.outputUnits"))
        );
    }

    function parties(string memory json) private pure returns (bytes memory) {
        return abi.encode(
            vm.parseJsonAddress(json, ".receipt.asset"),
            vm.parseJsonUint(json, ".receipt.price"),
            vm.parseJsonAddress(json, ".receipt.payer"),
            vm.parseJsonAddress(json, ".receipt.frontend"),
            vm.parseJsonAddress(json, ".receipt.node"),
            vm.parseJsonBytes32(json, ".receipt.leaseId")
        );
    }

    function numbers(string memory json) private pure returns (bytes memory) {
        return abi.encode(
            vm.parseJsonUint(json, ".receipt.attempt"),
            vm.parseJsonUint(json, ".receipt.fencingToken"),
            vm.parseJsonUint(json, ".receipt.startedAtMs"),
            vm.parseJsonUint(json, ".receipt.finishedAtMs"),
            vm.parseJsonUint(json, ".receipt.routeClass"),
            vm.parseJsonUint(json, ".receipt.computeUnits")
        );
    }

    function test_ReceiptsVerifyAgainstTheirBatchOnly() public {
        string memory json = vm.readFile("vectors/receipts.json");
        bytes32[] memory digests = vm.parseJsonBytes32Array(json, ".digests");
        Batch memory batch = nextBatch(Rows.list(), Rows.list());
        batch.receiptsRoot = vm.parseJsonBytes32(json, ".root");
        vm.prank(sequencer);
        settlement.settle(batch);
        BatchProof memory first = BatchProof(1, batch.receiptsRoot, Rows.contentHash(batch));
        batch = nextBatch(Rows.list(), Rows.list());
        vm.prank(sequencer);
        settlement.settle(batch);
        BatchProof memory second = BatchProof(2, batch.receiptsRoot, Rows.contentHash(batch));

        for (uint256 i; i < digests.length; ++i) {
            string memory label = string.concat("receipt ", vm.toString(i));
            bytes32[] memory proof = vm.parseJsonBytes32Array(json, string.concat(".proofs[", vm.toString(i), "].path"));
            assertTrue(settlement.verifyReceipt(first, digests[i], proof), label);
            assertFalse(settlement.verifyReceipt(second, digests[i], proof), label);
            assertFalse(
                settlement.verifyReceipt(BatchProof(2, first.receiptsRoot, second.contentHash), digests[i], proof),
                label
            );
            assertFalse(
                settlement.verifyReceipt(BatchProof(3, first.receiptsRoot, first.contentHash), digests[i], proof), label
            );
            assertFalse(
                settlement.verifyReceipt(BatchProof(0, first.receiptsRoot, first.contentHash), digests[i], proof), label
            );
            assertFalse(settlement.verifyReceipt(first, keccak256(abi.encode(digests[i])), proof), label);
            proof[0] = bytes32(uint256(proof[0]) ^ 1);
            assertFalse(settlement.verifyReceipt(first, digests[i], proof), label);
        }
    }

    function testFuzz_NoReceiptIsInABatchThatIsNotThere(BatchProof memory batch, bytes32 digest) public view {
        assertFalse(settlement.verifyReceipt(batch, digest, new bytes32[](0)), "no batch");
        batch.receiptsRoot = digest;
        assertFalse(settlement.verifyReceipt(batch, digest, new bytes32[](0)), "its own root proves nothing");
        batch.number = 0;
        assertFalse(settlement.verifyReceipt(batch, digest, new bytes32[](0)), "nothing is before the first");
    }
}
