// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IValidatorRegistry, Validator} from "../interfaces/IValidatorRegistry.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title ValidatorRegistry
/// @notice Validators and their bonds in native HEU.
contract ValidatorRegistry is IValidatorRegistry, Ownable2Step {
    using SafeCast for uint256;

    /* STORAGE */

    mapping(address validator => Validator) private _validators;
    address[] private _active;

    /// @dev Accusers and committee members of a case, which its draws leave out.
    mapping(uint256 caseId => mapping(address validator => bool)) private _leftOut;

    /// @inheritdoc IValidatorRegistry
    uint256 public totalBonds;

    /// @inheritdoc IValidatorRegistry
    address public slasher;

    /// @inheritdoc IValidatorRegistry
    uint128 public minBond;

    /// @inheritdoc IValidatorRegistry
    uint32 public unbondingDelaySeconds;

    /* CONSTRUCTOR */

    /// @param minBond_ Wei of HEU.
    /// @param unbondingDelaySeconds_ Seconds.
    constructor(address owner, uint128 minBond_, uint32 unbondingDelaySeconds_) Ownable(owner) {
        _setMinBond(minBond_);
        _setUnbondingDelay(unbondingDelaySeconds_);
    }

    modifier onlySlasher() {
        require(msg.sender == slasher, Errors.ValidatorRegistry_NotSlasher(msg.sender));
        _;
    }

    /* VALIDATORS */

    /// @inheritdoc IValidatorRegistry
    function join() external payable {
        Validator storage validator = _validators[msg.sender];
        require(validator.bond == 0 && validator.engagements == 0, Errors.ValidatorRegistry_AlreadyJoined(msg.sender));
        require(msg.value >= minBond, Errors.ValidatorRegistry_BondTooLow(msg.value, minBond));

        // Whoever lost its whole bond while it was leaving starts anew.
        validator.exitableAt = 0;
        validator.bond = msg.value.toUint128();
        totalBonds += msg.value;
        _seat(msg.sender, validator);

        emit Events.ValidatorJoined(msg.sender, msg.value);
    }

    /// @inheritdoc IValidatorRegistry
    function topUp() external payable {
        Validator storage validator = _joined(msg.sender);

        validator.bond += msg.value.toUint128();
        totalBonds += msg.value;
        bool ready = validator.seat == 0 && validator.exitableAt == 0 && validator.bond >= minBond;
        if (ready) _seat(msg.sender, validator);

        emit Events.ValidatorBondAdded(msg.sender, msg.value, validator.bond);
    }

    /// @inheritdoc IValidatorRegistry
    function requestExit() external {
        Validator storage validator = _joined(msg.sender);
        require(validator.exitableAt == 0, Errors.ValidatorRegistry_StillUnbonding(msg.sender, validator.exitableAt));

        validator.exitableAt = uint64(block.timestamp + unbondingDelaySeconds);
        _unseat(validator);

        emit Events.ValidatorExitRequested(msg.sender, validator.exitableAt);
    }

    /// @inheritdoc IValidatorRegistry
    function withdraw(address receiver) external returns (uint256 amount) {
        Validator memory validator = _joined(msg.sender);
        require(validator.exitableAt != 0, Errors.ValidatorRegistry_NotExiting(msg.sender));
        require(
            block.timestamp >= validator.exitableAt,
            Errors.ValidatorRegistry_StillUnbonding(msg.sender, validator.exitableAt)
        );
        require(validator.engagements == 0, Errors.ValidatorRegistry_Engaged(msg.sender, validator.engagements));

        amount = validator.bond;
        delete _validators[msg.sender];
        totalBonds -= amount;

        emit Events.ValidatorWithdrew(msg.sender, receiver, amount);

        NativeTransfer.send(receiver, amount);
    }

    /// @inheritdoc IValidatorRegistry
    function drop(address account) external {
        Validator storage validator = _joined(account);
        require(validator.bond < minBond, Errors.ValidatorRegistry_BondTooLow(validator.bond, minBond));
        require(validator.seat != 0, Errors.ValidatorRegistry_NotValidator(account));

        _unseat(validator);

        emit Events.ValidatorDropped(account, validator.bond);
    }

    /* CASES */

    /// @inheritdoc IValidatorRegistry
    function engage(uint256 caseId, address account, uint128 amount, bool orLess)
        external
        onlySlasher
        returns (uint128 locked)
    {
        Validator storage validator = _joined(account);
        uint128 free = validator.bond - validator.locked;
        require(free >= amount || orLess, Errors.ValidatorRegistry_BondLocked(account, free, amount));

        locked = free < amount ? free : amount;
        validator.locked += locked;
        validator.engagements += 1;
        _leftOut[caseId][account] = true;
    }

    /// @inheritdoc IValidatorRegistry
    function disengage(uint256 caseId, address account, uint128 locked, uint128 seized, bool forgiven)
        external
        onlySlasher
    {
        Validator storage validator = _joined(account);

        validator.locked -= locked;
        validator.engagements -= 1;
        if (forgiven) _leftOut[caseId][account] = false;
        if (seized == 0) return;

        // What is seized was locked, so it never exceeds the bond.
        validator.bond -= seized;
        totalBonds -= seized;
        emit Events.ValidatorSeized(account, caseId, seized, validator.bond);
        if (validator.bond < minBond && validator.seat != 0) {
            _unseat(validator);
            emit Events.ValidatorDropped(account, validator.bond);
        }

        NativeTransfer.send(msg.sender, seized);
    }

    /* VIEWS */

    /// @inheritdoc IValidatorRegistry
    function draw(uint256 caseId, bytes32 seed, uint256 size, uint64 activeBefore)
        external
        view
        returns (address[] memory members, uint256 eligible)
    {
        members = new address[](size);
        bytes32[] memory tickets = new bytes32[](size);
        uint256 drawn;
        uint256 count = _active.length;
        for (uint256 i; i < count; ++i) {
            address account = _active[i];
            if (_validators[account].activeSince >= activeBefore || _leftOut[caseId][account]) continue;

            ++eligible;
            bytes32 ticket = keccak256(abi.encode(seed, account));
            if (drawn == size && ticket >= tickets[size - 1]) continue;

            // Insertion into the sorted tickets; a full list loses its last.
            uint256 place = drawn == size ? size - 1 : drawn++;
            for (; place > 0 && tickets[place - 1] > ticket; --place) {
                (tickets[place], members[place]) = (tickets[place - 1], members[place - 1]);
            }
            (tickets[place], members[place]) = (ticket, account);
        }
        if (drawn < size) members = _first(members, drawn);
    }

    function _first(address[] memory members, uint256 count) private pure returns (address[] memory kept) {
        kept = new address[](count);
        for (uint256 i; i < count; ++i) {
            kept[i] = members[i];
        }
    }

    /// @inheritdoc IValidatorRegistry
    function isActive(address validator) external view returns (bool) {
        return _validators[validator].seat != 0;
    }

    /// @inheritdoc IValidatorRegistry
    function getValidator(address validator) external view returns (Validator memory) {
        return _validators[validator];
    }

    /// @inheritdoc IValidatorRegistry
    function activeCount() external view returns (uint256) {
        return _active.length;
    }

    /// @inheritdoc IValidatorRegistry
    function activeAt(uint256 index) external view returns (address) {
        return _active[index];
    }

    /* PARAMETERS */

    /// @inheritdoc IValidatorRegistry
    function setSlasher(address slasher_) external onlyOwner {
        slasher = slasher_;

        emit Events.SlasherChanged(slasher_);
    }

    /// @inheritdoc IValidatorRegistry
    function setMinBond(uint128 minBond_) external onlyOwner {
        _setMinBond(minBond_);
    }

    /// @inheritdoc IValidatorRegistry
    function setUnbondingDelay(uint32 unbondingDelaySeconds_) external onlyOwner {
        _setUnbondingDelay(unbondingDelaySeconds_);
    }

    function _setMinBond(uint128 minBond_) private {
        Bounds.check(minBond_, Constants.MIN_VALIDATOR_BOND, Constants.MAX_VALIDATOR_BOND);

        minBond = minBond_;

        emit Events.MinBondChanged(minBond_);
    }

    function _setUnbondingDelay(uint32 delaySeconds) private {
        Bounds.check(delaySeconds, Constants.MIN_UNBONDING_DELAY, Constants.MAX_UNBONDING_DELAY);

        unbondingDelaySeconds = delaySeconds;

        emit Events.UnbondingDelayChanged(delaySeconds);
    }

    /* INTERNAL */

    function _joined(address account) private view returns (Validator storage validator) {
        validator = _validators[account];
        require(validator.bond != 0 || validator.engagements != 0, Errors.ValidatorRegistry_NotValidator(account));
    }

    function _seat(address account, Validator storage validator) private {
        require(_active.length < Constants.MAX_VALIDATORS, Errors.ValidatorRegistry_Full(Constants.MAX_VALIDATORS));

        _active.push(account);
        validator.seat = uint32(_active.length);
        validator.activeSince = uint64(block.timestamp);
    }

    /// @dev The last one takes the empty seat.
    function _unseat(Validator storage validator) private {
        uint32 seat = validator.seat;
        if (seat == 0) return;

        address last = _active[_active.length - 1];
        _active[seat - 1] = last;
        _validators[last].seat = seat;
        _active.pop();
        validator.seat = 0;
        validator.activeSince = 0;
    }
}
